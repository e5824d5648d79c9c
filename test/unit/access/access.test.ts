import { describe, expect, it } from "vitest";
import { NO_HEAD, verifyChain } from "../../../functions/core/audit.ts";
import { accessUnderTest, callerSample, installation } from "./access-under-test.ts";

describe("the audit log of access", () => {
  it("has an entry for each change in the log of its tenant, with the request, and no key or secret", async () => {
    const { keys, tenants, entries, audit } = accessUnderTest();
    const made = await keys.create(installation(), {
      tenant: "acme",
      role: "producer",
      name: "shop",
      types: ["com.example.*"],
      limits: { eventsPerSecond: 5 },
    });
    const rotated = await keys.rotate(callerSample({ requestId: "r-2" }), made.id, undefined);
    await keys.revoke(callerSample({ requestId: "r-3" }), rotated.id);
    await tenants.put(installation(), "acme", { state: "suspended" });

    const log = await entries("acme");

    expect(log.map(({ who, action, target, requestId }) => [who, action, target, requestId])).toEqual([
      ["installation", "tenant.create", "acme", "r-1"],
      ["installation", "key.create", made.id, "r-1"],
      ["caller000000", "key.rotate", made.id, "r-2"],
      ["caller000000", "key.revoke", rotated.id, "r-3"],
      ["installation", "tenant.change", "acme", "r-1"],
    ]);
    expect(log[1]?.details).toEqual({
      role: "producer",
      name: "shop",
      types: ["com.example.*"],
      limits: { eventsPerSecond: 5 },
    });
    expect(log[4]?.details).toEqual({ state: "suspended", before: { state: "active" } });
    expect(verifyChain(log, audit.rowsOf("acme").head)).toBeUndefined();
    for (const secret of [made.key, rotated.key, made.key.slice(19, 51), 'hash":"00'])
      expect(JSON.stringify(log.map(({ details }) => details))).not.toContain(secret);
  });

  it("is written before the change: without it nothing is changed", async () => {
    const { keys, tenants, store, audit } = accessUnderTest();
    const { id } = await keys.create(installation(), { tenant: "acme", role: "reader" });
    const before = await store.key(id);
    audit.outage();

    const attempts = [
      () => keys.create(installation(), { tenant: "acme", role: "admin" }),
      () => keys.rotate(installation(), id, undefined),
      () => keys.revoke(installation(), id),
      () => tenants.put(installation(), "acme", { state: "suspended" }),
      () => tenants.put(installation(), "other", {}),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ name: "AccessError" });

    const page = { after: undefined, limit: 100 };
    expect((await store.listKeys(undefined, page)).items).toEqual([before]);
    expect((await store.listTenants(page)).items).toEqual([
      expect.objectContaining({ tenant: "acme", state: "active" }),
    ]);
  });

  it("has no change where the process ends after the entry, and the next change goes on", async () => {
    const { keys, store, audit, changes } = accessUnderTest();
    const { id } = await keys.create(installation(), { tenant: "acme", role: "reader" });
    audit.crashBeforeHead();

    await expect(keys.revoke(callerSample(), id)).rejects.toMatchObject({ name: "AccessError" });
    expect((await store.key(id))?.revokedAt).toBeUndefined();
    await keys.revoke(callerSample(), id);

    expect((await store.key(id))?.revokedAt).toBeDefined();
    expect((await changes("acme")).slice(2)).toEqual([
      `caller000000 key.revoke ${id}`,
      `caller000000 key.revoke ${id}`,
    ]);
    const { entries, head } = await audit.log.read("acme", 0, 100);
    expect(verifyChain([...entries], head)).toBeUndefined();
  });

  it("says of a change that failed that it may not have been made, and the caller gets its error", async () => {
    const { keys, store, entries, outageOfStore, recoverStore } = accessUnderTest();
    const { id } = await keys.create(installation(), { tenant: "acme", role: "reader" });
    const { revokeKey } = store;
    store.revokeKey = (...values) => {
      outageOfStore();
      return revokeKey(...values);
    };

    await expect(keys.revoke(callerSample({ requestId: "r-9" }), id)).rejects.toMatchObject({ name: "AccessError" });

    recoverStore();
    expect((await entries("acme")).slice(2)).toMatchObject([
      { number: 3, action: "key.revoke", target: id },
      {
        action: "change.failed",
        target: id,
        requestId: "r-9",
        details: { entry: 3, action: "key.revoke", outcome: "failed or unknown" },
      },
    ]);
  });

  it("is read in parts, of the caller's tenant alone", async () => {
    const { keys, tenants, readAudit } = accessUnderTest();
    await tenants.put(installation(), "other", {});
    await keys.create(installation(), { tenant: "*", role: "reader" });
    for (let at = 0; at < 3; at++) await keys.create(installation(), { tenant: "acme", role: "reader" });

    const first = await readAudit(callerSample(), { after: 0, limit: 3 });
    const rest = await readAudit(callerSample(), { after: first.next ?? 0, limit: 3 });
    const ofInstallation = await readAudit(installation(), { after: 0, limit: 10 });

    expect(first.entries.map(({ number, tenant }) => [number, tenant])).toEqual(
      [1, 2, 3].map((each) => [each, "acme"]),
    );
    expect([first.next, first.head.number]).toEqual([3, 4]);
    expect([rest.entries.length, rest.next]).toEqual([1, undefined]);
    expect(ofInstallation.entries.map(({ action }) => action)).toEqual(["key.create"]);
    expect(await readAudit(callerSample({ keyTenant: "nobody" }), { after: 0, limit: 3 })).toEqual({
      tenant: "nobody",
      entries: [],
      head: NO_HEAD,
      next: undefined,
    });
  });
});
