import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AccessError, type KeyRecord, type TenantRecord } from "../../../functions/core/access.ts";
import { createCheckKey } from "../../../functions/core/check-key.ts";
import type { RequestError } from "../../../functions/core/errors.ts";
import { hashKey, makeKey } from "../../../functions/core/key.ts";
import { makeToken, type SessionRecord } from "../../../functions/core/session.ts";
import { INSTALLATION } from "../../../functions/core/scopes.ts";

const NOW = "2026-11-29T10:00:00.000Z";
const HOUR_LATER = "2026-11-29T11:00:00.000Z";
const SECRET = Buffer.from("the installation's secret");

function setUp() {
  let now = Date.parse(NOW);
  const keys = new Map<string, KeyRecord>();
  const tenants = new Map<string, TenantRecord>([["acme", tenant("acme")]]);
  const sessions = new Map<string, SessionRecord>();
  const reads: string[] = [];
  const used: string[] = [];
  let isAway = false;
  let [stale, hashed] = [0, 0];
  const read = <T>(name: string, value: T): Promise<T> => {
    reads.push(name);
    return isAway ? Promise.reject(new AccessError("away")) : Promise.resolve(value);
  };
  const check = createCheckKey({
    reader: {
      key: (id) => read(`key ${id}`, keys.get(id)),
      tenant: (name) => read(`tenant ${name}`, tenants.get(name)),
      session: (hash) => read(`session ${hash}`, sessions.get(hash)),
    },
    usage: { used: async (id, day) => void used.push(`${id} ${day}`) },
    secret: () => {
      hashed += 1;
      return Promise.resolve(SECRET);
    },
    clock: () => new Date(now),
    wait: () => new Promise(() => undefined),
    onStale: () => {
      stale += 1;
    },
  });
  return {
    check,
    reads,
    used,
    tenants,
    stale: () => stale,
    /** The number of times that the secret was asked for, which each hash of a key needs. */
    hashed: () => hashed,
    pass: (milliseconds: number) => void (now += milliseconds),
    away: (value: boolean) => void (isAway = value),
    addKey(changes: Partial<KeyRecord> = {}): { text: string; id: string; record: KeyRecord } {
      const { id, text } = makeKey(randomBytes);
      const record: KeyRecord = {
        id,
        hash: hashKey(SECRET, text),
        tenant: "acme",
        role: "admin",
        createdBy: "deployer",
        createdAt: NOW,
        ...changes,
      };
      keys.set(record.id, record);
      return { id, text, record };
    },
    /** Signs a key in, for an hour. */
    addSession(keyId: string, changes: Partial<SessionRecord> = {}): { text: string; hash: string } {
      const text = makeToken("session", randomBytes);
      const hash = hashKey(SECRET, text);
      sessions.set(hash, { keyId, expiresAt: HOUR_LATER, ...changes });
      return { text, hash };
    },
    endSession: (hash: string) => void sessions.delete(hash),
    changeKey: (id: string, changes: Partial<KeyRecord>) =>
      void keys.set(id, { ...(keys.get(id) as KeyRecord), ...changes }),
  };
}

function tenant(name: string, changes: Partial<TenantRecord> = {}): TenantRecord {
  return { tenant: name, state: "active", createdAt: NOW, ...changes };
}

/** The refusal of a check; undefined where it let the caller in. */
async function refusal(checked: Promise<unknown>): Promise<RequestError | undefined> {
  return checked.then(
    () => undefined,
    (error: unknown) => error as RequestError,
  );
}

describe("the check of a key", () => {
  it("names the tenant, the role and the restrictions of a good key", async () => {
    const { check, addKey, tenants } = setUp();
    tenants.set("acme", tenant("acme", { limits: { eventsPerSecond: 5 } }));
    const { id, text } = addKey({
      role: "producer",
      types: ["a.*"],
      sources: ["/s"],
      limits: { requestsPerSecond: 2 },
    });

    expect(await check({ key: text, tenant: undefined }, "events:write")).toEqual({
      tenant: "acme",
      keyId: id,
      keyTenant: "acme",
      role: "producer",
      types: ["a.*"],
      sources: ["/s"],
      keyLimits: { requestsPerSecond: 2 },
      tenantLimits: { eventsPerSecond: 5 },
    });
  });

  it("refuses a request without a key, with the challenge that RFC 9110 asks for", async () => {
    const { check, reads } = setUp();

    expect(await refusal(check({ key: undefined, tenant: undefined }, "events:read"))).toMatchObject({
      code: "unauthenticated",
      headers: { "www-authenticate": 'Bearer realm="sluice"' },
    });
    expect(reads).toEqual([]);
  });

  it("refuses ten thousand wrong keys by their checksum, without a single look-up", async () => {
    const { check, reads, addKey } = setUp();
    const { text } = addKey();
    const random = createHash("sha512").update(text).digest("hex");
    const codes = new Set<string | undefined>();
    for (let i = 0; i < 10_000; i++) {
      const wrong = `${text.slice(0, 12)}${random.slice(i % 64, (i % 64) + 8)}${i.toString(36).padStart(8, "0")}`;
      const key = `${wrong}${text.slice(wrong.length)}`;
      try {
        await check({ key, tenant: undefined }, "events:read");
      } catch (error) {
        codes.add((error as RequestError).code);
      }
    }
    expect([...codes]).toEqual(["unauthenticated"]);
    expect(reads).toEqual([]);
  });

  it("gives one answer to an unknown key and to a key whose secret part is wrong", async () => {
    const { check, addKey } = setUp();
    const known = addKey();
    const other = makeKey(randomBytes);
    addKey({ id: other.id, hash: hashKey(SECRET, known.text) });
    const unknown = makeKey(randomBytes);

    const answers = await Promise.all(
      [other.text, unknown.text].map((key) => refusal(check({ key, tenant: undefined }, "events:read"))),
    );

    expect(answers.map((each) => [each?.code, each?.message])).toEqual([
      ["unauthenticated", expect.stringContaining("no such key")],
      ["unauthenticated", answers[0]?.message],
    ]);
  });

  it.each([
    ["revoked now", { revokedAt: NOW }, "revoked"],
    ["expired now", { expiresAt: NOW }, `expired at ${NOW}`],
    ["expired long ago", { expiresAt: "2020-01-01T00:00:00.000Z" }, "expired"],
  ])("refuses a key that is %s", async (_name, changes, detail) => {
    const { check, addKey } = setUp();
    const { text } = addKey(changes);

    expect(await refusal(check({ key: text, tenant: undefined }, "events:read"))).toMatchObject({
      code: "unauthenticated",
      message: expect.stringContaining(detail),
    });
  });

  it("lets a key in until the millisecond of its end, although its record is cached", async () => {
    const { check, addKey, pass } = setUp();
    const { text } = addKey({ expiresAt: "2026-11-29T10:00:00.002Z" });
    const code = async () => (await refusal(check({ key: text, tenant: undefined }, "events:read")))?.code;

    expect(await code()).toBeUndefined();
    pass(1);
    expect(await code()).toBeUndefined();
    pass(1);
    expect(await code()).toBe("unauthenticated");
  });

  it("sees a revocation after ten seconds at the latest", async () => {
    const { check, addKey, changeKey, pass } = setUp();
    const { id, text } = addKey();
    const code = async () => (await refusal(check({ key: text, tenant: undefined }, "events:read")))?.code;

    await code();
    changeKey(id, { revokedAt: NOW });
    pass(9_999);
    expect(await code()).toBeUndefined();
    pass(1);
    expect(await code()).toBe("unauthenticated");
  });

  it("hashes a key once, and again where its record has another hash", async () => {
    const { check, addKey, changeKey, pass, hashed } = setUp();
    const { id, text } = addKey();
    const code = async () => (await refusal(check({ key: text, tenant: undefined }, "events:read")))?.code;

    expect([await code(), await code(), hashed()]).toEqual([undefined, undefined, 1]);
    changeKey(id, { hash: hashKey(SECRET, "another key") });
    pass(10_000);
    expect([await code(), hashed()]).toEqual(["unauthenticated", 2]);
  });

  it("remembers a thousand keys whose hash was right, and beyond that hashes a key again", async () => {
    const { check, addKey, hashed } = setUp();
    const once = (key: string) => check({ key, tenant: undefined }, "events:read");
    const texts = Array.from({ length: 1_001 }, () => addKey().text);
    const [first = "", ...others] = texts;

    for (const text of texts.slice(0, 1_000)) await once(text);
    await once(first);
    expect(hashed()).toBe(1_000);
    await once(others.at(-1) ?? "");
    await once(first);
    expect(hashed()).toBe(1_002);
  });

  it("refuses a scope that the role does not have, and names it", async () => {
    const { check, addKey } = setUp();
    const { text } = addKey({ role: "producer" });

    expect(await refusal(check({ key: text, tenant: undefined }, "events:read"))).toMatchObject({
      code: "forbidden",
      members: { scope: "events:read" },
      message: expect.stringContaining("events:read"),
    });
  });

  it("refuses a key of a tenant that names another tenant, and lets it name its own", async () => {
    const { check, addKey, tenants } = setUp();
    tenants.set("other", tenant("other"));
    const { text } = addKey();

    expect(await refusal(check({ key: text, tenant: "other" }, "events:read"))).toMatchObject({ code: "forbidden" });
    expect(await check({ key: text, tenant: "acme" }, "events:read")).toMatchObject({ tenant: "acme" });
  });

  it.each(["", undefined])("asks a key of the installation for a tenant where it names %j", async (named) => {
    const { check, addKey } = setUp();
    const { text } = addKey({ tenant: INSTALLATION });

    expect(await refusal(check({ key: text, tenant: named }, "events:read"))).toMatchObject({
      code: "tenant_required",
    });
  });

  it.each(["*", "ACME", "a b", "../x", "a".repeat(65), "x".repeat(5_000), " acme"])(
    "looks up no tenant for a text that cannot be one: %j",
    async (named) => {
      const { check, addKey, reads } = setUp();
      const { id, text } = addKey({ tenant: INSTALLATION });

      for (const scope of ["events:write", "keys"] as const) {
        expect(await refusal(check({ key: text, tenant: named }, scope))).toMatchObject({ code: "bad_header" });
      }
      expect(reads).toEqual([`key ${id}`]);
    },
  );

  it("lets a key of the installation act for the tenant that it names", async () => {
    const { check, addKey } = setUp();
    const { text } = addKey({ tenant: INSTALLATION });

    expect(await check({ key: text, tenant: "acme" }, "events:read")).toMatchObject({
      tenant: "acme",
      keyTenant: INSTALLATION,
    });
    expect(await refusal(check({ key: text, tenant: "acmee" }, "events:read"))).toMatchObject({
      code: "no_such_tenant",
    });
  });

  it("lets only a key of the installation use a scope that concerns the installation, without a tenant", async () => {
    const { check, addKey } = setUp();
    const ofTenant = addKey({ role: "admin" });
    const ofInstallation = addKey({ tenant: INSTALLATION });

    expect(await refusal(check({ key: ofTenant.text, tenant: undefined }, "tenants"))).toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("only a key of the installation"),
    });
    expect(await check({ key: ofInstallation.text, tenant: undefined }, "tenants")).toMatchObject({
      tenant: INSTALLATION,
    });
  });

  it("refuses every key of a suspended tenant, and keys of the installation that name it", async () => {
    const { check, addKey, tenants } = setUp();
    tenants.set("acme", tenant("acme", { state: "suspended" }));
    const [own, ofInstallation] = [addKey(), addKey({ tenant: INSTALLATION })];

    for (const caller of [
      { key: own.text, tenant: undefined },
      { key: ofInstallation.text, tenant: "acme" },
    ]) {
      expect(await refusal(check(caller, "events:write"))).toMatchObject({ code: "tenant_suspended" });
    }
    expect(await refusal(check({ key: own.text, tenant: undefined }, "keys"))).toMatchObject({
      code: "tenant_suspended",
    });
    expect(await refusal(check({ key: ofInstallation.text, tenant: "acme" }, "keys"))).toBeUndefined();
  });

  it("goes on with known keys while the table does not answer, and answers others 503 and never 401", async () => {
    const { check, addKey, away, pass, stale } = setUp();
    const [known, unknown] = [addKey(), addKey()];
    await check({ key: known.text, tenant: undefined }, "events:write");
    away(true);
    pass(14 * 60_000);

    expect(await check({ key: known.text, tenant: undefined }, "events:write")).toMatchObject({ tenant: "acme" });
    expect(stale()).toBe(2);
    pass(5_000);
    expect(await refusal(check({ key: unknown.text, tenant: undefined }, "events:write"))).toMatchObject({
      code: "access_unavailable",
    });
    pass(60_000);
    expect(await refusal(check({ key: known.text, tenant: undefined }, "events:write"))).toMatchObject({
      code: "access_unavailable",
    });
  });

  it("remembers the use of a key once a day", async () => {
    const { check, addKey, used, pass } = setUp();
    const { id, text } = addKey();
    const once = () => check({ key: text, tenant: undefined }, "events:read");

    await once();
    await once();
    pass(24 * 3_600_000);
    await once();
    expect(used).toEqual([`${id} 2026-11-29`, `${id} 2026-11-30`]);
  });
});

describe("the check of a session", () => {
  const bySession = (session: string, tenant?: string) => ({ key: undefined, session, tenant });

  it("a session has the rights of its key, and says which session it is", async () => {
    const { check, addKey, addSession } = setUp();
    const { id, text: key } = addKey({ role: "operator", types: ["a.*"] });
    const { text, hash } = addSession(id);

    const byKey = await check({ key, tenant: undefined }, "events:read");

    expect(await check(bySession(text), "events:read")).toEqual({
      ...byKey,
      session: { hash, expiresAt: HOUR_LATER },
    });
    expect(await refusal(check(bySession(text), "keys"))).toMatchObject({ code: "forbidden" });
  });

  it("a session of a key of the installation names the tenant as the key does", async () => {
    const { check, addKey, addSession } = setUp();
    const { text } = addSession(addKey({ tenant: INSTALLATION }).id);

    expect(await check(bySession(text, "acme"), "events:read")).toMatchObject({ tenant: "acme" });
    expect(await refusal(check(bySession(text), "events:read"))).toMatchObject({ code: "tenant_required" });
  });

  it("a key in a header goes before the session in a cookie", async () => {
    const { check, addKey, addSession } = setUp();
    const [key, other] = [addKey(), addKey()];
    const session = addSession(other.id).text;

    const found = await check({ key: key.text, session, tenant: undefined }, "events:read");
    expect(found).toMatchObject({ keyId: key.id });
    expect(found).not.toHaveProperty("session");
    expect(await refusal(check({ key: "", session, tenant: undefined }, "events:read"))).toMatchObject({
      code: "unauthenticated",
    });
  });

  it("a text that is no session, or has a wrong checksum, is refused without a look-up", async () => {
    const { check, addKey, addSession, reads, hashed } = setUp();
    const key = addKey();
    const { text } = addSession(key.id);
    const damaged = `${text.slice(0, -1)}${text.endsWith("0") ? "1" : "0"}`;

    for (const session of ["", "x", damaged, key.text, text.replace("session", "code")])
      expect(await refusal(check(bySession(session), "events:read")), session).toMatchObject({
        code: "unauthenticated",
        message: expect.stringContaining("npm run console"),
      });
    expect([reads, hashed()]).toEqual([[], 0]);
  });

  it("an unknown session and one that is over get the same answer", async () => {
    const { check, addKey, addSession, pass } = setUp();
    const { text } = addSession(addKey().id);
    const unknown = await refusal(check(bySession(makeToken("session", randomBytes)), "events:read"));
    await check(bySession(text), "events:read");

    pass(3_600_000);

    expect(await refusal(check(bySession(text), "events:read"))).toMatchObject({
      code: "unauthenticated",
      message: unknown?.message,
    });
  });

  it("a session that was ended is refused within ten seconds", async () => {
    const { check, addKey, addSession, endSession, pass } = setUp();
    const { text, hash } = addSession(addKey().id);
    await check(bySession(text), "events:read");
    endSession(hash);

    pass(10_000);

    expect(await refusal(check(bySession(text), "events:read"))).toMatchObject({ code: "unauthenticated" });
  });

  it.each([
    ["revoked", { revokedAt: NOW }, "The key is revoked"],
    ["expired", { expiresAt: NOW }, "The key expired"],
  ])("a session ends with its key: %s", async (_, changes, message) => {
    const { check, addKey, addSession, changeKey, pass } = setUp();
    const { id } = addKey();
    const { text } = addSession(id);
    await check(bySession(text), "events:read");
    changeKey(id, changes);

    pass(10_000);

    expect(await refusal(check(bySession(text), "events:read"))).toMatchObject({
      code: "unauthenticated",
      message: expect.stringContaining(message),
    });
  });

  it("a session of a suspended tenant is refused as its key is", async () => {
    const { check, addKey, addSession, tenants } = setUp();
    tenants.set("acme", tenant("acme", { state: "suspended" }));
    const { text } = addSession(addKey().id);

    expect(await refusal(check(bySession(text), "events:read"))).toMatchObject({ code: "tenant_suspended" });
  });

  it("while the table does not answer, a known session goes on until its end", async () => {
    const { check, addKey, addSession, away, pass } = setUp();
    const { text } = addSession(addKey().id, { expiresAt: "2026-11-29T10:05:00.000Z" });
    await check(bySession(text), "events:read");
    away(true);

    pass(60_000);
    expect(await check(bySession(text), "events:read")).toMatchObject({ tenant: "acme" });
    pass(240_000);
    expect(await refusal(check(bySession(text), "events:read"))).toMatchObject({ code: "unauthenticated" });
  });
});
