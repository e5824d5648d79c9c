import { describe, expect, it } from "vitest";
import { accessUnderTest, installation, NOW } from "./access-under-test.ts";

describe("tenants", () => {
  it("tenants are made by their first PUT and changed by the next, member by member", async () => {
    const { tenants, store } = accessUnderTest();

    const made = await tenants.put(installation(), "acme", { limits: { eventsPerSecond: 5 } });
    const suspended = await tenants.put(installation(), "acme", { state: "suspended" });
    const limited = await tenants.put(installation(), "acme", { limits: { eventsPerDay: 9 } });
    const unlimited = await tenants.put(installation(), "acme", { limits: {} });

    const base = { tenant: "acme", createdAt: NOW };
    expect(made).toEqual({ isNew: true, record: { ...base, state: "active", limits: { eventsPerSecond: 5 } } });
    expect(suspended).toEqual({
      isNew: false,
      record: { ...base, state: "suspended", limits: { eventsPerSecond: 5 } },
    });
    expect(limited.record).toEqual({ ...base, state: "suspended", limits: { eventsPerDay: 9 } });
    expect(await store.tenant("acme")).toEqual(unlimited.record);
    expect(unlimited.record).toEqual({ ...base, state: "suspended", limits: {} });
  });

  it("tenants may be made suspended", async () => {
    const { tenants } = accessUnderTest();

    expect(await tenants.put(installation(), "acme", { state: "suspended" })).toMatchObject({
      isNew: true,
      record: { state: "suspended" },
    });
  });

  it("tenants that a PUT leaves as they are have no entry of it", async () => {
    const { tenants, changes } = accessUnderTest();
    await tenants.put(installation(), "acme", { state: "suspended", limits: { burst: 2, eventsPerSecond: 1 } });

    await tenants.put(installation(), "acme", {});
    await tenants.put(installation(), "acme", { state: "suspended", limits: { eventsPerSecond: 1, burst: 2 } });

    expect(await changes("acme")).toEqual(["installation tenant.create acme"]);
  });

  it("tenants that two requests make at once are made once, and changed by the second", async () => {
    const { tenants, store } = accessUnderTest();
    const { tenant: read } = store;
    let asked = 0;
    // The second request looks before the first one has made the tenant.
    store.tenant = async (name) => (asked++ === 0 ? undefined : read(name));
    await store.createTenant({ tenant: "acme", state: "active", createdAt: "2026-11-28T00:00:00.000Z" });

    expect(await tenants.put(installation(), "acme", { state: "suspended" })).toEqual({
      isNew: false,
      record: { tenant: "acme", state: "suspended", createdAt: "2026-11-28T00:00:00.000Z" },
    });
  });

  it("tenants are listed by name in parts, and one that there is not is refused", async () => {
    const { tenants } = accessUnderTest();
    for (const name of ["b", "a", "c"]) await tenants.put(installation(), name, {});

    const first = await tenants.list({ after: undefined, limit: 2 });

    expect(first.items.map(({ tenant }) => tenant)).toEqual(["a", "b"]);
    expect((await tenants.list({ after: first.next, limit: 2 })).items.map(({ tenant }) => tenant)).toEqual(["c"]);
    expect(await tenants.show("a")).toMatchObject({ tenant: "a" });
    await expect(tenants.show("nobody")).rejects.toMatchObject({ code: "no_such_tenant" });
  });
});
