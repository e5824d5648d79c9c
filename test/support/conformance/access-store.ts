import { describe, expect, it } from "vitest";
import type { AccessStore, KeyRecord } from "../../../functions/core/access.ts";
import { keySample, tenantSample } from "../access-samples.ts";

/** The contract of every store of keys and tenants; `open` gives one that is empty and healthy. */
export function describeAccessStore(
  name: string,
  open: () => Promise<{ store: AccessStore; outage: () => void }>,
): void {
  const all = { after: undefined, limit: 100 };
  const fullKey = keySample({
    name: "größe \ud83d\ude00 \"'",
    expiresAt: "2027-01-01T00:00:00.000Z",
    replaces: "000000000000",
    types: ["com.example.*", "order"],
    sources: ["/shop"],
    limits: { eventsPerSecond: 10, burst: 20, requestsPerSecond: 5, eventsPerDay: 1_000_000 },
  });

  describe(`an access store ${name}`, () => {
    it("reads a key as it was made, and none that was not", async () => {
      const { store } = await open();

      expect(await store.createKey(fullKey)).toBe(true);

      expect(await store.key(fullKey.id)).toEqual(fullKey);
      expect(await store.key("another00000")).toBeUndefined();
    });

    it("reads a burst without a rate, which earlier versions took", async () => {
      const { store } = await open();
      const limits = { burst: 3 };
      await store.createKey(keySample({ limits }));
      await store.createTenant(tenantSample({ limits }));

      expect((await store.key(keySample().id))?.limits).toEqual(limits);
      expect((await store.tenant("acme"))?.limits).toEqual(limits);
    });

    it("makes a key once: a second one of its id is refused and changes nothing", async () => {
      const { store } = await open();
      await store.createKey(fullKey);

      expect(await store.createKey(keySample({ tenant: "other" }))).toBe(false);

      expect(await store.key(fullKey.id)).toEqual(fullKey);
    });

    it("revokes a key, and then only at an earlier time", async () => {
      const { store } = await open();
      const { id } = keySample();
      await store.createKey(keySample());

      for (const day of ["5", "3", "4"]) expect(await store.revokeKey(id, `2026-12-0${day}T00:00:00.000Z`)).toBe(true);

      expect(await store.key(id)).toEqual(keySample({ revokedAt: "2026-12-03T00:00:00.000Z" }));
    });

    const at = "2026-12-01T00:00:00.000Z";
    const replacement = { replacedBy: "next00000000", at, end: { revokedAt: at } };

    it.each([{ revokedAt: at }, { expiresAt: "2026-12-02T00:00:00.000Z" }])(
      "replaces a key that ends by %j, and says so once more where the same call comes again",
      async (end) => {
        const { store } = await open();
        const { id } = keySample();
        await store.createKey(keySample({ expiresAt: "2026-12-03T00:00:00.000Z" }));

        for (const _attempt of ["first", "second"])
          expect(await store.replaceKey(id, { ...replacement, end })).toBe(true);

        expect(await store.key(id)).toEqual(
          keySample({ expiresAt: "2026-12-03T00:00:00.000Z", ...end, replacedBy: "next00000000" }),
        );
      },
    );

    it.each<[string, Partial<KeyRecord>]>([
      ["is revoked", { revokedAt: "2026-11-30T00:00:00.000Z" }],
      ["is revoked by a process whose clock is ahead", { revokedAt: "2026-12-01T00:00:00.001Z" }],
      ["has just expired", { expiresAt: at }],
      ["has another in its place", { replacedBy: "other0000000" }],
    ])("replaces no key that %s, and leaves it as it is", async (_name, state) => {
      const { store } = await open();
      await store.createKey(keySample(state));

      expect(await store.replaceKey(keySample().id, replacement)).toBe(false);

      expect(await store.key(keySample().id)).toEqual(keySample(state));
    });

    it("replaces a key once where several are to come in its place at one time", async () => {
      const { store } = await open();
      const ids = Array.from({ length: 5 }, (_, each) => `next0000000${each}`);
      await store.createKey(keySample());

      const answers = await Promise.all(
        ids.map((replacedBy) => store.replaceKey(keySample().id, { ...replacement, replacedBy })),
      );

      expect(answers.filter((isReplaced) => isReplaced)).toHaveLength(1);
      expect(await store.key(keySample().id)).toMatchObject({ replacedBy: ids[answers.indexOf(true)] });
    });

    it("ends no key that there is not, and makes none by that", async () => {
      const { store } = await open();

      expect(await store.revokeKey("another00000", at)).toBe(false);
      expect(await store.replaceKey("another00000", replacement)).toBe(false);

      expect(await store.key("another00000")).toBeUndefined();
      expect(await store.listKeys(undefined, all)).toEqual({ items: [], next: undefined });
    });

    it("lists the keys of a tenant alone, by id, and those of all by tenant", async () => {
      const { store } = await open();
      const keys = [
        keySample({ id: "b00000000000" }),
        keySample({ id: "A00000000000" }),
        // Names that begin alike, and one that sorts before all.
        keySample({ id: "c00000000000", tenant: "acme0" }),
        keySample({ id: "d00000000000", tenant: "acme-eu" }),
        keySample({ id: "e00000000000", tenant: "*" }),
      ];
      for (const key of keys) await store.createKey(key);
      await store.createTenant(tenantSample());
      const idsOf = async (tenant?: string) => (await store.listKeys(tenant, all)).items.map(({ id }) => id[0]);

      expect(await idsOf("acme")).toEqual(["A", "b"]);
      expect(await idsOf("*")).toEqual(["e"]);
      expect(await idsOf("nobody")).toEqual([]);
      expect(await idsOf()).toEqual(["e", "d", "A", "b", "c"]);
    });

    it("lists in parts that together are the whole, each key once", async () => {
      const { store } = await open();
      const ids = Array.from({ length: 7 }, (_, at) => `${at}00000000000`);
      for (const id of ids) await store.createKey(keySample({ id }));
      await store.createKey(keySample({ id: "other0000000", tenant: "zeta" }));

      const parts: string[][] = [];
      let after: string | undefined;
      do {
        const { items, next } = await store.listKeys("acme", { after, limit: 3 });
        parts.push(items.map(({ id }) => id));
        after = next;
      } while (after !== undefined && parts.length < 10);

      expect(parts.flat()).toEqual(ids);
      expect(Math.max(...parts.map((part) => part.length))).toBe(3);
    });

    it.each(["zeta/000000000000", "*", "~~~", "é", " ", "acme/4fQ0v7xYbN2k"])(
      "lists nothing of another tenant after %j, which a client may send",
      async (after) => {
        const { store } = await open();
        await store.createKey(keySample());
        for (const [at, tenant] of ["*", "aaa", "acm", "acme0", "zeta"].entries())
          await store.createKey(keySample({ id: `other000000${at}`, tenant }));

        const { items } = await store.listKeys("acme", { after, limit: 10 });

        expect(items.filter(({ tenant }) => tenant !== "acme")).toEqual([]);
      },
    );

    it("reads a tenant as it was made, once, and changes the given members of it", async () => {
      const { store } = await open();
      const record = tenantSample({ limits: { eventsPerSecond: 5 } });

      expect(await store.createTenant(record)).toBe(true);
      expect(await store.createTenant(tenantSample({ state: "suspended" }))).toBe(false);
      expect(await store.tenant("acme")).toEqual(record);

      expect(await store.changeTenant("acme", { state: "suspended" })).toBe(true);
      expect(await store.tenant("acme")).toEqual({ ...record, state: "suspended" });
      expect(await store.changeTenant("acme", { limits: {} })).toBe(true);
      expect(await store.tenant("acme")).toEqual({ ...record, state: "suspended", limits: {} });

      expect(await store.changeTenant("nobody", { state: "active" })).toBe(false);
      expect(await store.tenant("nobody")).toBeUndefined();
    });

    it("lists tenants by name, in parts, without the keys", async () => {
      const { store } = await open();
      for (const tenant of ["b", "a.1", "a", "a-1", "a_1"]) await store.createTenant(tenantSample({ tenant }));
      await store.createKey(keySample());

      const first = await store.listTenants({ after: undefined, limit: 2 });
      const rest = await store.listTenants({ after: first.next, limit: 10 });

      expect([...first.items, ...rest.items].map(({ tenant }) => tenant)).toEqual(["a", "a-1", "a.1", "a_1", "b"]);
      expect(rest.next).toBeUndefined();
    });

    it("fails with an AccessError in an outage, whatever the call", async () => {
      const { store, outage } = await open();
      outage();

      const calls = [
        store.key("4fQ0v7xYbN2k"),
        store.tenant("acme"),
        store.createKey(keySample()),
        store.revokeKey("4fQ0v7xYbN2k", at),
        store.replaceKey("4fQ0v7xYbN2k", replacement),
        store.listKeys(undefined, all),
        store.createTenant(tenantSample()),
        store.changeTenant("acme", { state: "active" }),
        store.listTenants(all),
      ];

      for (const call of await Promise.allSettled(calls))
        expect(call).toMatchObject({ status: "rejected", reason: { name: "AccessError" } });
    });
  });
}
