import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAccessEndpoints } from "../../../functions/access/endpoints.ts";
import { schemas } from "../../../functions/core/answer.ts";
import type { RequestError } from "../../../functions/core/errors.ts";
import { ACCESS_BODY_MAX_BYTES, KEY_MAX_PATTERNS, PAGE_MAX_ITEMS } from "../../../functions/core/access-limits.ts";
import { accessRoutes } from "../../../functions/routes/access.ts";
import { accessUnderTest, callerSample, installation } from "./access-under-test.ts";

function requestOf(body: unknown, more: { caller?: object; headers?: Record<string, string> } = {}) {
  const { requestId, ...principal } = { ...callerSample(), ...more.caller };
  return {
    method: "POST",
    path: "/keys",
    headers: more.headers ?? { "content-type": "application/json" },
    repeatedHeaders: [],
    parameters: { id: "4fQ0v7xYbN2k", tenant: "acme" },
    query: { after: undefined, limit: undefined, createdBy: undefined },
    principal,
    body: body instanceof Uint8Array ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    inflated: true,
    requestId,
    deadline: Number.MAX_SAFE_INTEGER,
  };
}

const refused = (answer: Promise<unknown>): Promise<RequestError> =>
  answer.then(
    (value) => {
      throw new Error(`It was not refused: ${JSON.stringify(value)}`);
    },
    (error: unknown) => error as RequestError,
  );

describe("POST /keys", () => {
  it("answers 201 with the key once, its place, and no leave to keep the answer", async () => {
    const { createKey } = createAccessEndpoints(accessUnderTest());

    const { status, headers, body } = await createKey(requestOf({ role: "producer", name: "shop" }));

    const made = schemas.MadeKey.parse(JSON.parse(body));
    expect({ status, headers }).toEqual({
      status: 201,
      headers: { "cache-control": "no-store", location: `keys/${made.id}` },
    });
    expect(made).toMatchObject({ tenant: "acme", role: "producer", name: "shop" });
    expect(body).not.toContain("hash");
  });

  it.each<[string, unknown, string]>([
    ["an unknown member", { role: "reader", scope: "all" }, "unknown member scope"],
    ["several unknown members", { role: "reader", a: 1, b: 2 }, "unknown member a, b"],
    [
      "an unknown member of an object",
      { role: "reader", limits: { perSecond: 1 } },
      "limits: unknown member perSecond",
    ],
    ["a member of Object.prototype", '{"role":"reader","__proto__":{"role":"admin"}}', "unknown member __proto__"],
    ["a constructor", '{"role":"reader","constructor":{}}', "unknown member constructor"],
    ["no role", {}, "role: "],
    ["another role", { role: "root" }, "role: "],
    ["a role in a list", { role: ["admin"] }, "role: "],
    ["a tenant that is no name", { role: "reader", tenant: "Acme" }, "tenant: is no name of a tenant"],
    ["a tenant of 65 characters", { role: "reader", tenant: "a".repeat(65) }, "tenant: "],
    ["an empty tenant", { role: "reader", tenant: "" }, "tenant: "],
    ["a tenant with a separator of the table", { role: "reader", tenant: "a/b" }, "tenant: "],
    ["an empty name", { role: "reader", name: "" }, "name: "],
    ["a name of 129 characters", { role: "reader", name: "x".repeat(129) }, "name: "],
    ["a name that moves a terminal's cursor", { role: "reader", name: "a\u001b[2J" }, "name: has characters"],
    ["a name with half a character", { role: "reader", name: "\ud800" }, "name: has characters"],
    ["an expiry that is no text", { role: "reader", expires: 90 }, "expires: "],
    ["an expiry that is too long", { role: "reader", expires: "1".repeat(65) }, "expires: "],
    ["no types in the list", { role: "reader", types: [] }, "types: "],
    ["a type with a star within", { role: "reader", types: ["a*b"] }, "types.0: is no pattern"],
    ["too many types", { role: "reader", types: Array(KEY_MAX_PATTERNS + 1).fill("a") }, "types: "],
    ["a type that is too long", { role: "reader", types: ["x".repeat(257)] }, "types.0: "],
    ["a source that is too long", { role: "reader", sources: ["x".repeat(1_025)] }, "sources.0: "],
    ["a limit of zero", { role: "reader", limits: { eventsPerSecond: 0 } }, "limits.eventsPerSecond: "],
    ["a limit of half an event", { role: "reader", limits: { eventsPerSecond: 0.5 } }, "limits.eventsPerSecond: "],
    ["a limit that is no safe number", '{"role":"reader","limits":{"burst":1e400}}', "limits.burst: "],
    ["a limit as text", { role: "reader", limits: { burst: "5" } }, "limits.burst: "],
    ["a burst of no rate", { role: "reader", limits: { burst: 3 } }, "limits.burst: burst needs eventsPerSecond"],
    ["a burst beside other limits", { role: "reader", limits: { burst: 3, eventsPerDay: 9 } }, "limits.burst: "],
    ["a null", { role: "reader", name: null }, "name: "],
    ["a list", [{ role: "reader" }], "The body is not valid: "],
    ["null", null, "The body is not valid: "],
    ["nothing", "", "no JSON in UTF-8"],
    ["half of JSON", '{"role":', "no JSON in UTF-8"],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "no JSON in UTF-8"],
    ["lists without end", "[".repeat(200_000), "no JSON in UTF-8"],
  ])("refuses %s as malformed_body and names it, without a change", async (_name, body, why) => {
    const access = accessUnderTest();

    const error = await refused(createAccessEndpoints(access).createKey(requestOf(body)));

    expect(error).toMatchObject({ code: "malformed_body", message: expect.stringContaining(why) });
    expect(await access.changes("acme")).toEqual([]);
  });

  it("accepts each member at its limit", async () => {
    const { createKey } = createAccessEndpoints(accessUnderTest());
    const full = {
      tenant: "a".repeat(64),
      role: "reader",
      name: "é".repeat(128),
      types: Array.from({ length: KEY_MAX_PATTERNS }, (_, at) => `${at}${"x".repeat(250)}*`),
      sources: Array.from({ length: KEY_MAX_PATTERNS }, (_, at) => `${at}${"x".repeat(1_000)}`),
      limits: { eventsPerSecond: 1, burst: 1, requestsPerSecond: 1, eventsPerDay: Number.MAX_SAFE_INTEGER },
    };

    expect(await createKey(requestOf(full, { caller: installation() }))).toMatchObject({ status: 201 });
  });

  it("keeps what it says about a hostile body short", async () => {
    const { createKey } = createAccessEndpoints(accessUnderTest());
    const members = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`${"m".repeat(40)}${at}`, 1]));

    const many = await refused(createKey(requestOf({ role: "reader", ...members })));
    const long = await refused(createKey(requestOf({ role: "reader", ["x".repeat(100_000)]: 1 })));
    const nested = await refused(createKey(requestOf({ role: "reader", types: Array(5_000).fill("") })));

    for (const error of [many, long, nested]) expect(error.message.length).toBeLessThan(600);
  });

  it("refuses a body that is too large or no JSON by its content type, before it is read", async () => {
    const { createKey } = createAccessEndpoints(accessUnderTest());
    const fitting = `{"role":"reader"}${" ".repeat(ACCESS_BODY_MAX_BYTES - 17)}`;

    expect((await createKey(requestOf(fitting))).status).toBe(201);
    expect(await refused(createKey(requestOf(`${fitting} `)))).toMatchObject({ code: "body_too_large" });
    for (const type of [undefined, "text/plain", "application/jsonp"]) {
      const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
      expect(await refused(createKey(requestOf({ role: "reader" }, { headers })))).toMatchObject({
        code: "unsupported_media_type",
      });
    }
    for (const type of ["application/json; charset=utf-8", "Application/JSON", "application/json ;a=b"]) {
      expect((await createKey(requestOf({ role: "reader" }, { headers: { "content-type": type } }))).status).toBe(201);
    }
  });

  it("makes of any JSON a key with the rights of the caller at most, or a refusal with a code", async () => {
    const caller = { types: ["a.*"], keyLimits: { eventsPerSecond: 5 } };
    const member = fc.constantFrom("tenant", "role", "name", "expires", "types", "sources", "limits", "id", "hash");
    const value = fc.oneof(
      fc.constantFrom("acme", "*", "admin", "reader", "90d", ["*"], ["a.b"], { eventsPerSecond: 9 }, { burst: 3 }),
      fc.jsonValue({ maxDepth: 2 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(member, value), async (body) => {
        const access = accessUnderTest();
        const { createKey } = createAccessEndpoints(access);
        const answer = await createKey(requestOf({ role: "reader", ...body }, { caller })).catch(
          (error: RequestError) => error,
        );
        if ("code" in answer) {
          expect(["malformed_body", "forbidden"]).toContain(answer.code);
          return;
        }
        const { id } = schemas.MadeKey.parse(JSON.parse(answer.body));
        const record = await access.store.key(id);
        expect(record?.tenant).toBe("acme");
        expect(record?.types?.every((type) => type.startsWith("a."))).toBe(true);
        expect(record?.limits?.eventsPerSecond).toBeLessThanOrEqual(5);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the other routes of access", () => {
  it("the other routes answer as their schemas say", async () => {
    const access = accessUnderTest();
    const endpoints = createAccessEndpoints(access);
    const old = await access.keys.create(installation(), { tenant: "acme", role: "reader", expires: "1h" });
    const of = { parameters: { id: old.id, tenant: "acme" } };

    const rotated = await endpoints.rotateKey({ ...requestOf({ grace: "30m" }), ...of });
    const keys = await endpoints.listKeys(requestOf(""));
    const key = await endpoints.readKey({ ...requestOf(""), ...of });
    const revoked = await endpoints.revokeKey({ ...requestOf(""), ...of });
    const changed = await endpoints.putTenant(requestOf({ limits: { eventsPerSecond: 5 } }));
    const made = await endpoints.putTenant({ ...requestOf({}), parameters: { tenant: "other" } });
    const tenant = await endpoints.readTenant({ ...requestOf(""), ...of });
    const tenants = await endpoints.listTenants(requestOf(""));
    const audit = await endpoints.readAudit({ ...requestOf(""), query: { after: 1, limit: 2 } });

    expect([rotated, keys, key, revoked, changed, made, tenant, tenants, audit].map(({ status }) => status)).toEqual([
      201, 200, 200, 204, 200, 201, 200, 200, 200,
    ]);
    const successor = schemas.MadeKey.parse(JSON.parse(rotated.body));
    expect(rotated.headers).toEqual({ "cache-control": "no-store", location: `../${successor.id}` });
    expect(
      schemas.Keys.parse(JSON.parse(keys.body))
        .keys.map(({ id }) => id)
        .toSorted(),
    ).toEqual([old.id, successor.id].toSorted());
    expect(schemas.Key.parse(JSON.parse(key.body))).toMatchObject({ id: old.id, replacedBy: successor.id });
    expect(revoked.body).toBe("");
    for (const [schema, { body }] of [
      [schemas.Tenant, changed],
      [schemas.Tenant, made],
      [schemas.Tenant, tenant],
    ] as const)
      expect(schema.safeParse(JSON.parse(body)).success).toBe(true);
    expect(schemas.Tenants.parse(JSON.parse(tenants.body)).tenants.map(({ tenant }) => tenant)).toEqual([
      "acme",
      "other",
    ]);
    expect(schemas.Audit.parse(JSON.parse(audit.body)).entries.map(({ number }) => number)).toEqual([2, 3]);
  });

  it("the other routes need no body for a rotation at once, and refuse one that is no rotation", async () => {
    const access = accessUnderTest();
    const { rotateKey } = createAccessEndpoints(access);
    const { id } = await access.keys.create(callerSample(), { role: "reader" });
    const of = { parameters: { id } };

    expect(await refused(rotateKey({ ...requestOf({ grace: 5 }), ...of }))).toMatchObject({ code: "malformed_body" });
    expect(await refused(rotateKey({ ...requestOf({ role: "admin" }), ...of }))).toMatchObject({
      message: "The body is not valid: unknown member role.",
    });
    expect((await rotateKey({ ...requestOf("", { headers: {} }), ...of })).status).toBe(201);
  });

  it("the other routes refuse a tenant's body with another member or state", async () => {
    const { putTenant } = createAccessEndpoints(accessUnderTest());

    for (const body of [
      { tenant: "acme" },
      { state: "deleted" },
      { state: null },
      { limits: null },
      { limits: [] },
      "",
    ])
      expect(await refused(putTenant(requestOf(body))), JSON.stringify(body)).toMatchObject({ code: "malformed_body" });
  });
});

describe("the parameters of access", () => {
  const { listKeys, readKey, readTenant, readAudit } = accessRoutes;
  const accepts = (schema: { safeParse: (value: unknown) => { success: boolean } }, values: (string | undefined)[]) =>
    values.map((value) => schema.safeParse(value).success);

  it("the parameters take a page of 1 to the most, and as default the whole page", () => {
    expect(PAGE_MAX_ITEMS).toBe(100);
    expect(accepts(listKeys.query.limit, [undefined, "1", "100"])).toEqual([true, true, true]);
    expect(accepts(listKeys.query.limit, ["0", "101", "1000", "-1", "1.5", "", "1e2", " 1"])).not.toContain(true);
    expect(listKeys.query.limit.safeParse("7").data).toBe(7);
    // An entry that somebody has put in between may have such a number, and the part behind it must be readable.
    expect(accepts(readAudit.query.after, [undefined, "0", "12", "1.5", "0.25"])).toEqual(Array(5).fill(true));
    expect(accepts(readAudit.query.after, ["-1", "x", "", "01", "1.", ".5", "1e3", "9".repeat(16)])).not.toContain(
      true,
    );
    expect(accepts(listKeys.query.createdBy, [undefined, "deployer", "4fQ0v7xYbN2k"])).toEqual([true, true, true]);
    expect(accepts(listKeys.query.createdBy, ["", "Deployer", "4fQ0v7xYbN2", "4fQ0v7xYbN2#"])).not.toContain(true);
    expect(accepts(listKeys.query.after, ["acme/4fQ0v7xYbN2k", "x".repeat(129)])).toEqual([true, false]);
  });

  it("the parameters take ids and names that can be, before any table is read", () => {
    expect(accepts(readKey.parameters.id, ["4fQ0v7xYbN2k"])).toEqual([true]);
    expect(
      accepts(readKey.parameters.id, ["", "4fQ0v7xYbN2", "4fQ0v7xYbN2kk", "4fQ0v7xYbN2#", undefined]),
    ).not.toContain(true);
    expect(accepts(readTenant.parameters.tenant, ["a", "0", "a.b_c-d", "a".repeat(64)])).not.toContain(false);
    expect(
      accepts(readTenant.parameters.tenant, [
        "",
        "*",
        "A",
        "-a",
        ".a",
        "a/b",
        "a b",
        "é",
        "a".repeat(65),
        "a\n",
        undefined,
      ]),
    ).not.toContain(true);
  });
});
