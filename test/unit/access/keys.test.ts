import { describe, expect, it } from "vitest";
import { hasHash, parseKey } from "../../../functions/core/key.ts";
import type { Limits } from "../../../functions/core/access.ts";
import { accessUnderTest, callerOf, callerSample, installation, KEY_SECRET, NOW } from "./access-under-test.ts";

const DAY_MS = 86_400_000;
const later = (milliseconds: number) => new Date(Date.parse(NOW) + milliseconds).toISOString();
const page = { after: undefined, limit: 100 };

describe("a new key", () => {
  it("is a key whose hash alone is kept, with its settings and who made it", async () => {
    const { keys, store } = accessUnderTest();

    const made = await keys.create(installation(), {
      tenant: "acme",
      role: "producer",
      name: "shop",
      expires: "90d",
      types: ["com.example.*"],
      sources: ["/shop"],
      limits: { eventsPerSecond: 5 },
    });

    const settings = {
      tenant: "acme",
      role: "producer",
      name: "shop",
      createdBy: "installation",
      createdAt: NOW,
      expiresAt: later(90 * DAY_MS),
      types: ["com.example.*"],
      sources: ["/shop"],
      limits: { eventsPerSecond: 5 },
    };
    const record = await store.key(made.id);
    expect(made).toEqual({ ...settings, id: made.id, key: made.key, state: "active", lastUsed: undefined });
    expect(parseKey(made.key)).toEqual({ id: made.id });
    expect(record).toEqual({ ...settings, id: made.id, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(hasHash(record ?? { hash: "" }, KEY_SECRET, made.key)).toBe(true);
    expect(JSON.stringify(record)).not.toContain(made.key.slice(19, 51));
  });

  it("is of the tenant of the caller's key, and of no other that the caller names", async () => {
    const { keys } = accessUnderTest();

    expect(await keys.create(callerSample(), { role: "reader" })).toMatchObject({ tenant: "acme" });
    expect(await keys.create(callerSample(), { role: "reader", tenant: "acme" })).toMatchObject({ tenant: "acme" });
    for (const tenant of ["other", "*"]) {
      await expect(keys.create(callerSample(), { role: "reader", tenant })).rejects.toMatchObject({
        code: "forbidden",
      });
    }
  });

  it.each([
    ["the body", installation(), "acme"],
    ["the header", installation("acme"), undefined],
    ["both", installation("acme"), "acme"],
  ])("of the installation is of the tenant that %s names, which it makes", async (_name, caller, tenant) => {
    const { keys, store, changes } = accessUnderTest();

    const { id } = await keys.create(caller, { role: "admin", tenant });
    await keys.create(caller, { role: "admin", tenant });

    expect(await store.key(id)).toMatchObject({ tenant: "acme" });
    expect(await store.tenant("acme")).toEqual({ tenant: "acme", state: "active", createdAt: NOW });
    expect((await changes("acme")).filter((change) => change.includes("tenant.create"))).toHaveLength(1);
  });

  it("of the installation must name a tenant, one only, and `*` for another of the installation", async () => {
    const { keys, store } = accessUnderTest();

    await expect(keys.create(installation(), { role: "admin" })).rejects.toMatchObject({ code: "tenant_required" });
    await expect(keys.create(installation("acme"), { role: "admin", tenant: "other" })).rejects.toMatchObject({
      code: "malformed_body",
      message: expect.stringContaining("Sluice-Tenant"),
    });
    expect(await keys.create(installation(), { role: "operator", tenant: "*" })).toMatchObject({ tenant: "*" });
    expect((await store.listTenants(page)).items).toEqual([]);
  });

  it("of a tenant makes no tenant, even where the record is missing", async () => {
    const { keys, store } = accessUnderTest();

    await keys.create(callerSample(), { role: "reader" });

    expect(await store.tenant("acme")).toBeUndefined();
  });

  it.each([
    ["12h", later(DAY_MS / 2)],
    ["1s", later(1_000)],
    ["2w", later(14 * DAY_MS)],
    ["2026-11-29T11:00:00.001Z", "2026-11-29T11:00:00.001Z"],
    ["2026-11-29t13:00:00+02:00", "2026-11-29T11:00:00.000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
  ])("that expires at %j ends at %s", async (expires, end) => {
    const { keys } = accessUnderTest();

    expect(await keys.create(callerSample(), { role: "reader", expires })).toMatchObject({ expiresAt: end });
  });

  it.each([
    "0d",
    "-1d",
    "90",
    "d",
    "90 days",
    "1.5h",
    "1D",
    "2026-11-29",
    "2026-11-29T10:00:00Z",
    "2026-11-29T09:59:59Z",
    "2026-02-30T00:00:00Z",
    "999999999999999w",
    "99999999d",
    "9999-12-31T23:59:59-01:00",
  ])("that expires at %j is refused, with the member's name", async (expires) => {
    const { keys, changes } = accessUnderTest();

    await expect(keys.create(callerSample(), { role: "reader", expires })).rejects.toMatchObject({
      code: "malformed_body",
      message: expect.stringMatching(/^expires /),
    });
    expect(await changes("acme")).toEqual([]);
  });

  it("has the types, sources and limits of the caller's own key where it names none", async () => {
    const { keys } = accessUnderTest();
    const own = { types: ["a.*"], sources: ["/s"], keyLimits: { eventsPerSecond: 5, eventsPerDay: 100 } };

    const made = await keys.create(callerSample(own), { role: "reader", limits: { eventsPerDay: 10 } });

    expect(made).toMatchObject({ types: ["a.*"], sources: ["/s"], limits: { eventsPerSecond: 5, eventsPerDay: 10 } });
  });

  const rich = { types: ["a.*", "b"], sources: ["/s*"], keyLimits: { eventsPerSecond: 5, requestsPerSecond: 2 } };

  it.each<[string, object]>([
    ["other types", { types: ["a.b", "c"] }],
    ["a wider type", { types: ["*"] }],
    ["a beginning where its own is a whole type", { types: ["b*"] }],
    ["other sources", { sources: ["/"] }],
    ["a higher limit", { limits: { eventsPerSecond: 6 } }],
    ["a burst above its own events of one second", { limits: { eventsPerSecond: 5, burst: 6 } }],
    ["a higher limit of requests", { limits: { requestsPerSecond: 3 } }],
  ])("with %s than the caller's own is refused", async (_name, more) => {
    const { keys, changes } = accessUnderTest();

    await expect(keys.create(callerSample(rich), { role: "reader", ...more })).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("more rights than yours"),
    });
    expect(await changes("acme")).toEqual([]);
  });

  it("with as much as the caller's own, or less, is made", async () => {
    const { keys } = accessUnderTest();
    const limits: Limits = { eventsPerSecond: 5, burst: 5, requestsPerSecond: 2, eventsPerDay: 9 };

    expect(
      await keys.create(callerSample(rich), { role: "admin", types: ["a.b.*", "b"], sources: ["/shop"], limits }),
    ).toMatchObject({ limits });
  });

  it("of a caller with fewer scopes than its role has is refused", async () => {
    const { keys } = accessUnderTest();

    await expect(keys.create(callerSample({ role: "operator" }), { role: "producer" })).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("events:write"),
    });
    expect(await keys.create(callerSample({ role: "operator" }), { role: "reader" })).toMatchObject({ role: "reader" });
  });

  const ofAnHour = { expiresAt: "2026-11-29T11:00:00.000Z" };

  it.each([[undefined], ["61m"], ["2026-11-29T11:00:00.001Z"]])(
    "that expires at %j is refused where the caller's own ends before, and the refusal says what to do",
    async (expires) => {
      const { keys, changes } = accessUnderTest();

      await expect(keys.create(callerSample(ofAnHour), { role: "reader", expires })).rejects.toMatchObject({
        code: "forbidden",
        message: expect.stringMatching(/yours ends at 2026-11-29T11:00:00\.000Z\. Make one .+ `expires`/),
      });
      expect(await changes("acme")).toEqual([]);
    },
  );

  it.each(["59m", "2026-11-29T11:00:00Z"])(
    "that expires at %j, by the end of the caller's own, is made",
    async (expires) => {
      const { keys } = accessUnderTest();

      expect(await keys.create(callerSample(ofAnHour), { role: "admin", expires })).toMatchObject({ role: "admin" });
    },
  );

  it("of a key of the installation that ends soon may last, because the commands make keys with such a one", async () => {
    const { keys } = accessUnderTest();
    const command = { ...installation(), ...ofAnHour };

    const made = await keys.create(command, { tenant: "acme", role: "admin" });

    expect(made.expiresAt).toBeUndefined();
    expect(await keys.rotate(command, made.id, undefined)).toMatchObject({ replaces: made.id });
  });

  it("is never put in the place of another whose id it has by chance", async () => {
    const { keys, store, entries } = accessUnderTest();
    store.createKey = async () => false;

    await expect(keys.create(callerSample(), { role: "reader" })).rejects.toThrow("is taken already");
    expect((await entries("acme")).map(({ action }) => action)).toEqual(["key.create", "change.failed"]);
  });
});

describe("keys of others", () => {
  it("keys of another tenant are as if there were none, for reading, rotating and revoking", async () => {
    const { keys, store, changes } = accessUnderTest();
    const { id } = await keys.create(installation(), { tenant: "other", role: "reader" });
    const ofInstallation = await keys.create(installation(), { tenant: "*", role: "reader" });
    const before = await changes("other");

    for (const caller of [callerSample(), installation("acme")]) {
      for (const target of [id, ofInstallation.id]) {
        const answers = await Promise.allSettled([
          keys.show(caller, target),
          keys.rotate(caller, target, undefined),
          keys.revoke(caller, target),
          keys.show(caller, "absent000000"),
        ]);
        const reasons = answers.map((answer) =>
          String((answer as PromiseRejectedResult).reason).replace(/\w{12}\./, "ID."),
        );
        expect(new Set(reasons)).toEqual(
          new Set(["RequestError: There is no key ID. GET /keys lists those there are."]),
        );
      }
    }

    expect(await store.key(id)).not.toHaveProperty("revokedAt");
    expect(await changes("other")).toEqual(before);
  });

  it("keys are listed by the key that made them, in parts that may be empty, of the caller's tenant alone", async () => {
    const { keys } = accessUnderTest();
    const makers = ["thief0000000", "another00000", "another00000", "thief0000000"];
    for (const keyId of makers) await keys.create(callerSample({ keyId }), { role: "reader" });
    await keys.create(callerSample({ keyId: "thief0000000", keyTenant: "other" }), { role: "reader" });

    const found: string[] = [];
    let after: string | undefined;
    do {
      const { items, next } = await keys.list(callerSample(), { after, limit: 1, createdBy: "thief0000000" });
      found.push(...items.map(({ createdBy, tenant }) => `${createdBy} ${tenant}`));
      after = next;
    } while (after !== undefined);

    expect(found).toEqual(["thief0000000 acme", "thief0000000 acme"]);
  });

  it("keys of every tenant are those of the installation, or of the one that it names", async () => {
    const { keys } = accessUnderTest();
    for (const tenant of ["acme", "other", "*"]) await keys.create(installation(), { tenant, role: "reader" });
    const tenantsOf = async (caller: Parameters<typeof keys.list>[0]) =>
      (await keys.list(caller, page)).items.map(({ tenant }) => tenant);

    expect(await tenantsOf(installation())).toEqual(["*", "acme", "other"]);
    expect(await tenantsOf(installation("other"))).toEqual(["other"]);
    expect(await tenantsOf(callerSample())).toEqual(["acme"]);
    expect(await tenantsOf(callerSample({ keyTenant: "nobody" }))).toEqual([]);
  });
});

describe("a key that is shown", () => {
  it("has its state and its last use, and never its hash", async () => {
    const { keys, usage, setTime } = accessUnderTest();
    const { id } = await keys.create(callerSample(), { role: "reader", expires: "1h" });
    await usage.used(id, "2026-11-29");

    const shown = await keys.show(callerSample(), id);
    setTime("2026-11-29T11:00:00.000Z");
    const listed = await keys.list(callerSample(), page);

    expect(shown).toMatchObject({ id, state: "active", lastUsed: "2026-11-29" });
    expect(listed.items).toEqual([{ ...shown, state: "expired" }]);
    expect(JSON.stringify([shown, listed])).not.toContain("hash");
  });
});

describe("a key that is revoked", () => {
  it("ends now, stays as it is when it is revoked again, and is no second entry", async () => {
    const { keys, store, setTime, changes } = accessUnderTest();
    const { id } = await keys.create(callerSample(), { role: "reader" });

    await keys.revoke(callerSample(), id);
    setTime("2026-11-29T12:00:00.000Z");
    await keys.revoke(callerSample(), id);

    expect(await store.key(id)).toMatchObject({ revokedAt: NOW });
    expect(await keys.show(callerSample(), id)).toMatchObject({ state: "revoked" });
    expect((await changes("acme")).filter((change) => change.includes("key.revoke"))).toHaveLength(1);
  });

  it("may be the caller's own", async () => {
    const { keys, store } = accessUnderTest();
    const own = await keys.create(callerSample(), { role: "admin" });

    await keys.revoke(callerOf(own), own.id);

    expect(await store.key(own.id)).toMatchObject({ revokedAt: NOW });
  });
});

describe("a key that is rotated", () => {
  const settings = { role: "producer", name: "shop", types: ["a.*"], limits: { eventsPerSecond: 5 } } as const;
  const body = { ...settings, types: [...settings.types] };

  it("gets a successor of the same settings with an id and a text of its own, and ends at once", async () => {
    const { keys, store } = accessUnderTest();
    const old = await keys.create(callerSample(), body);

    const successor = await keys.rotate(callerSample({ keyId: "another00000" }), old.id, undefined);

    expect(successor).toMatchObject({
      ...settings,
      tenant: "acme",
      state: "active",
      replaces: old.id,
      createdBy: "another00000",
    });
    expect(successor.expiresAt).toBeUndefined();
    expect(successor.id).not.toBe(old.id);
    expect(parseKey(successor.key)).toEqual({ id: successor.id });
    expect(await store.key(old.id)).toMatchObject({ revokedAt: NOW, replacedBy: successor.id });
    expect(await keys.show(callerSample(), old.id)).toMatchObject({ state: "revoked" });
  });

  it("goes on until the end of its grace, while both are in use", async () => {
    const { keys, setTime } = accessUnderTest();
    const old = await keys.create(callerSample(), body);

    const successor = await keys.rotate(callerSample(), old.id, "2h");
    const states = async () => [
      (await keys.show(callerSample(), old.id)).state,
      (await keys.show(callerSample(), successor.id)).state,
    ];

    setTime("2026-11-29T11:59:59.999Z");
    expect(await states()).toEqual(["active", "active"]);
    setTime("2026-11-29T12:00:00.000Z");
    expect(await states()).toEqual(["expired", "active"]);
  });

  it("gives as long a life again, and its grace never makes its own life longer", async () => {
    const { keys, store, setTime } = accessUnderTest();
    const old = await keys.create(callerSample(), { ...body, expires: "30d" });
    setTime(later(29 * DAY_MS));

    const successor = await keys.rotate(callerSample(), old.id, "7d");

    expect(successor).toMatchObject({ expiresAt: later(59 * DAY_MS) });
    expect(await store.key(old.id)).toMatchObject({ expiresAt: later(30 * DAY_MS), replacedBy: successor.id });
  });

  it("is refused when it has ended or has a successor already, which the refusal names", async () => {
    const { keys, setTime } = accessUnderTest();
    const [expiring, revoked, rotated] = [
      await keys.create(callerSample(), { ...body, expires: "1h" }),
      await keys.create(callerSample(), body),
      await keys.create(callerSample(), body),
    ];
    await keys.revoke(callerSample(), revoked.id);
    const successor = await keys.rotate(callerSample(), rotated.id, "2h");
    setTime("2026-11-29T11:00:00.000Z");

    for (const [id, why] of [
      [expiring.id, "is expired"],
      [revoked.id, "is revoked"],
      [rotated.id, successor.id],
    ] as const) {
      await expect(keys.rotate(callerSample(), id, undefined)).rejects.toMatchObject({
        code: "key_ended",
        message: expect.stringContaining(why),
      });
    }
  });

  it("is refused where it has more rights than the caller, who would get them by its text", async () => {
    const { keys } = accessUnderTest();
    const old = await keys.create(callerSample(), { role: "producer" });

    await expect(keys.rotate(callerSample({ types: ["a.*"] }), old.id, undefined)).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(keys.rotate(callerSample({ role: "operator" }), old.id, undefined)).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("is refused where its successor would live longer than the caller's own key, for that key itself too", async () => {
    const { keys, setTime, changes } = accessUnderTest();
    const own = await keys.create(callerSample(), { role: "admin", expires: "1h" });
    const lasting = await keys.create(callerSample(), body);
    const short = await keys.create(callerSample(), { ...body, expires: "30m" });
    setTime(later(60_000));
    const before = await changes("acme");

    for (const { id } of [own, lasting])
      await expect(keys.rotate(callerOf(own), id, undefined)).rejects.toMatchObject({
        code: "forbidden",
        message: expect.stringContaining("yours ends at 2026-11-29T11:00:00.000Z"),
      });
    expect(await changes("acme")).toEqual(before);

    expect(await keys.rotate(callerOf(own), short.id, undefined)).toMatchObject({ replaces: short.id });
    expect(await keys.rotate(callerSample(), own.id, undefined)).toMatchObject({ replaces: own.id });
  });

  it("is as it was where the process ends before it is ended, and can be rotated again", async () => {
    const { keys, store } = accessUnderTest();
    const old = await keys.create(callerSample(), body);
    const { replaceKey } = store;
    store.replaceKey = async () => {
      throw new Error("killed");
    };
    await expect(keys.rotate(callerSample(), old.id, undefined)).rejects.toThrow("killed");
    store.replaceKey = replaceKey;

    const kept = await keys.show(callerSample(), old.id);
    expect([kept.state, kept.replacedBy]).toEqual(["active", undefined]);
    const successor = await keys.rotate(callerSample(), old.id, undefined);
    // The one of the first attempt is recognized by this: it replaces a key that does not name it.
    expect(await keys.show(callerSample(), old.id)).toMatchObject({ replacedBy: successor.id });
    const { items } = await keys.list(callerSample(), page);
    expect(items.filter(({ replaces }) => replaces === old.id).map(({ id }) => id)).toContain(successor.id);
  });

  it("has one successor where two requests rotate it at once, and the other request is refused and names it", async () => {
    const { keys, changes } = accessUnderTest();
    const old = await keys.create(callerSample(), body);

    const answers = await Promise.allSettled(
      ["1h", undefined].map((grace) => keys.rotate(callerSample(), old.id, grace)),
    );

    const made = answers.find((answer) => answer.status === "fulfilled");
    const refusal = answers.find((answer) => answer.status === "rejected");
    const { replacedBy } = await keys.show(callerSample(), old.id);
    expect(made?.value.id).toBe(replacedBy);
    expect(refusal?.reason).toMatchObject({ code: "key_ended", message: expect.stringContaining(String(replacedBy)) });
    const { items } = await keys.list(callerSample(), page);
    expect(items.filter(({ id, state }) => id !== old.id && state === "active").map(({ id }) => id)).toEqual([
      replacedBy,
    ]);
    expect((await changes("acme")).at(-1)).toBe(`caller000000 change.failed ${old.id}`);
  });

  it("leaves no active successor where it is revoked while it is rotated", async () => {
    const { keys, store } = accessUnderTest();
    const old = await keys.create(callerSample(), body);
    const { createKey } = store;
    store.createKey = async (record) => {
      await keys.revoke(callerSample(), old.id);
      return createKey(record);
    };

    await expect(keys.rotate(callerSample(), old.id, "1h")).rejects.toMatchObject({
      code: "key_ended",
      message: expect.stringContaining("is revoked"),
    });

    const { items } = await keys.list(callerSample(), page);
    expect(items.map(({ state }) => state)).toEqual(["revoked", "revoked"]);
    expect((await keys.show(callerSample(), old.id)).replacedBy).toBeUndefined();
  });

  it.each(["0s", "soon", "2026-11-29T09:00:00Z"])("is refused with a grace of %j", async (grace) => {
    const { keys } = accessUnderTest();
    const old = await keys.create(callerSample(), body);

    await expect(keys.rotate(callerSample(), old.id, grace)).rejects.toMatchObject({
      code: "malformed_body",
      message: expect.stringMatching(/^grace /),
    });
    expect(await keys.show(callerSample(), old.id)).toMatchObject({ state: "active" });
  });
});
