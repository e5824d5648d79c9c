import { describe, expect, it, vi } from "vitest";
import { createCheckKey } from "../../../functions/core/check-key.ts";
import { accessUnderTest, installation, KEY_SECRET, NOW } from "./access-under-test.ts";

const later = (milliseconds: number) => new Date(Date.parse(NOW) + milliseconds).toISOString();

/** The check of keys in one process of another function, over the same tables, at the same time. */
function processOf({ store, usage }: ReturnType<typeof accessUnderTest>, now: () => string) {
  const onStale = vi.fn<() => void>();
  const check = createCheckKey({
    reader: { ...store, session: async () => undefined },
    usage,
    secret: async () => KEY_SECRET,
    clock: () => new Date(now()),
    wait: () => new Promise(() => undefined),
    onStale,
  });
  return async (key: string, scope: Parameters<typeof check>[1] = "events:write") => {
    try {
      return (await check({ key, tenant: undefined }, scope)).keyId;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
}

describe("a key in use", () => {
  async function underTest() {
    let now = NOW;
    const access = accessUnderTest();
    const ask = processOf(access, () => now);
    const at = (time: string) => {
      now = time;
      access.setTime(time);
    };
    const made = await access.keys.create(installation(), { tenant: "acme", role: "producer" });
    return { access, ask, at, made };
  }

  it("is used as soon as it is made", async () => {
    const { ask, made } = await underTest();

    expect(await ask(made.key)).toBe(made.id);
  });

  it("is followed by its successor at once, and refused within ten seconds where it was known", async () => {
    const { access, ask, at, made } = await underTest();
    expect(await ask(made.key)).toBe(made.id);

    const successor = await access.keys.rotate(installation(), made.id, undefined);

    expect(await ask(successor.key)).toBe(successor.id);
    at(later(10_000));
    expect(await ask(made.key)).toBe("unauthenticated");
    expect(await ask(successor.key)).toBe(successor.id);
  });

  it("works beside its successor until its grace ends, whoever has read it when", async () => {
    const { access, ask, at, made } = await underTest();
    const successor = await access.keys.rotate(installation(), made.id, "1h");

    at(later(3_599_999));
    expect([await ask(made.key), await ask(successor.key)]).toEqual([made.id, successor.id]);
    at(later(3_600_000));
    expect([await ask(made.key), await ask(successor.key)]).toEqual(["unauthenticated", successor.id]);
  });

  it("is refused within ten seconds after it is revoked, and while its tenant is suspended", async () => {
    const { access, ask, at, made } = await underTest();
    const other = await access.keys.create(installation(), { tenant: "acme", role: "producer" });
    expect([await ask(made.key), await ask(other.key)]).toEqual([made.id, other.id]);

    await access.keys.revoke(installation(), made.id);
    await access.tenants.put(installation(), "acme", { state: "suspended" });
    at(later(10_000));
    expect([await ask(made.key), await ask(other.key)]).toEqual(["unauthenticated", "tenant_suspended"]);

    await access.tenants.put(installation(), "acme", { state: "active" });
    at(later(20_000));
    expect(await ask(other.key)).toBe(other.id);
  });

  it("has its day of use in the list", async () => {
    const { access, ask, made } = await underTest();
    expect(await access.keys.show(installation(), made.id)).toMatchObject({ lastUsed: undefined });

    await ask(made.key);

    expect(await access.keys.show(installation(), made.id)).toMatchObject({ lastUsed: "2026-11-29" });
  });
});
