import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY_PATTERN, makeKey } from "../../functions/core/key.ts";
import type { Role, Scope } from "../../functions/core/scopes.ts";
import { parameters, requests } from "../../functions/api-docs/examples.ts";
import type { Route } from "../../functions/routes/route.ts";
import { type OperationId, routes } from "../../functions/routes/routes.ts";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";

/**
 * Every route by every kind of caller. A new route is in it by itself; a new scope or role has to be
 * added to the table below, which says by hand what functions/core/scopes.ts says in code.
 */
const mayUse: Record<Scope, Record<Role | "installation", boolean>> = {
  "events:write": { producer: true, reader: false, operator: false, admin: true, installation: true },
  "events:read": { producer: false, reader: true, operator: true, admin: true, installation: true },
  "dead-letters:read": { producer: false, reader: false, operator: true, admin: true, installation: true },
  "dead-letters:replay": { producer: false, reader: false, operator: true, admin: true, installation: true },
  subscriptions: { producer: false, reader: false, operator: true, admin: true, installation: true },
  status: { producer: false, reader: false, operator: true, admin: true, installation: true },
  console: { producer: false, reader: true, operator: true, admin: true, installation: true },
  keys: { producer: false, reader: false, operator: false, admin: true, installation: true },
  admin: { producer: false, reader: false, operator: false, admin: true, installation: true },
  tenants: { producer: false, reader: false, operator: false, admin: false, installation: true },
};

const roles = ["producer", "reader", "operator", "admin"] as const satisfies readonly Role[];

const all = Object.values(routes)
  .flatMap((ofFunction) => Object.entries<Route>(ofFunction))
  .map(([operationId, route]) => ({ operationId: operationId as OperationId, route }));
const guarded = all
  .filter(({ route }) => route.auth !== "public")
  .map((each) => ({ ...each, scope: each.route.auth as Scope }))
  // It ends the sessions of its callers.
  .toSorted((a, b) => Number(a.operationId === "signOut") - Number(b.operationId === "signOut"));
const open = all.filter(({ route }) => route.auth === "public");

let target: Target;
/** Random, because the target may be a stack that is used again. */
const run = randomUUID().slice(0, 8);
/** Not the id of the example event, which the tenant itself sends and soon has. */
const foreignEventId = `foreign-${run}`;
const [own, other, suspended] = [`matrix-a-${run}`, `matrix-b-${run}`, `matrix-c-${run}`];
/** Texts that only the other tenant's events and keys have. */
const marker = `of-the-other-tenant-${run}`;
/** A file of the operator's page; its name changes with its content. */
let fileOfPage: string;
let ownAdminKey: string;
/** The id of the other tenant's key: what a route about one key is asked for. */
let foreignKeyId: string;
let foreignKey: string;
/** A subscription of the other tenant, and a redelivery of it. */
let foreignSubscriptionId: string;
let foreignRedeliveryId: string;
let callers: Record<string, { headers: Record<string, string>; expected: Expected }>;

/** The status that a scope gives, or the fixed one. */
type Expected = 401 | 403 | Role | "installation" | "suspended" | "none" | "star" | "foreign page";

/** The only callers who may see every tenant. */
const OF_ALL = "a key of the installation that names no tenant";
const SESSION_OF_ALL = "a session of the installation that names no tenant";
/** The routes whose answer, for the other tenant itself, has what no caller of the own tenant may see. */
const WITH_ROWS: ReadonlySet<OperationId> = new Set([
  "readEvent",
  "listKeys",
  "readKey",
  "readAudit",
  "listSubscriptions",
  "readSubscription",
]);

beforeAll(async () => {
  target = await openTarget();
  const keys = Object.fromEntries(
    await Promise.all(roles.map(async (role) => [role, await target.createKey({ tenant: own, role })] as const)),
  );
  const foreign = await target.createKey({ tenant: other, role: "admin", name: marker });
  const ofSuspended = await target.createKey({ tenant: suspended, role: "admin" });
  const revoked = await target.createKey({ tenant: own, role: "admin" });
  const expired = await target.createKey({ tenant: own, role: "admin", expires: "1s" });
  const asInstallation = bearer(target.installationKey);
  await target.call(`/keys/${revoked.id}`, { method: "DELETE", headers: { ...asInstallation, "sluice-tenant": own } });
  await target.call(`/tenants/${suspended}`, {
    method: "PUT",
    headers: { ...asInstallation, "content-type": "application/json" },
    body: JSON.stringify({ state: "suspended" }),
  });
  await eventually(
    () => target.call("/keys", { headers: bearer(expired.key) }),
    ({ status }) => status === 401,
  );
  await target.call("/events", {
    method: "POST",
    headers: { ...bearer(foreign.key), "content-type": "application/json" },
    body: JSON.stringify({ id: foreignEventId, type: "a.b", source: target.source, data: marker }),
  });
  await eventually(
    () => target.call(`/events/${foreignEventId}?source=${target.source}`, { headers: bearer(foreign.key) }),
    ({ status }) => status === 200,
    60_000,
  );
  // Nothing matches it, so nothing is sent to that address.
  const made = await target.call("/subscriptions", {
    method: "POST",
    headers: { ...bearer(foreign.key), "content-type": "application/json" },
    body: JSON.stringify({
      name: marker,
      filter: { exact: { type: marker } },
      sink: { type: "webhook", url: "https://8.8.8.8/nothing" },
    }),
  });
  foreignSubscriptionId = (JSON.parse(made.text) as { id: string }).id;
  const retried = await target.call(`/subscriptions/${foreignSubscriptionId}/retry`, {
    method: "POST",
    headers: { ...bearer(foreign.key), "content-type": "application/json" },
    body: "{}",
  });
  foreignRedeliveryId = (JSON.parse(retried.text) as { id: string }).id;
  // A key of the installation has the scopes of its role, and those about tenants only where it is an admin.
  const ofInstallation = Object.fromEntries(
    await Promise.all(
      roles
        .filter((role) => role !== "admin")
        .map(async (role) => [role, await target.createKey({ tenant: "*", role, expires: "1h" })] as const),
    ),
  );
  ownAdminKey = String(keys.admin?.key);
  foreignKeyId = foreign.id;
  foreignKey = foreign.key;
  const unknown = makeKey((count) => crypto.getRandomValues(new Uint8Array(count)));
  callers = {
    "no key": { headers: {}, expected: 401 },
    "a text that is no key": { headers: bearer("Token"), expected: 401 },
    "a key with a wrong checksum": { headers: bearer(otherLastDigit(String(keys.admin?.key))), expected: 401 },
    "an unknown key": { headers: bearer(unknown.text), expected: 401 },
    "an expired key": { headers: bearer(expired.key), expected: 401 },
    "a revoked key": { headers: bearer(revoked.key), expected: 401 },
    "an admin's key in the query": { headers: {}, expected: 401 },
    ...Object.fromEntries(
      roles.map((role) => [`a ${role}`, { headers: bearer(String(keys[role]?.key)), expected: role }]),
    ),
    ...Object.fromEntries(
      Object.entries(ofInstallation).map(([role, { key }]) => [
        `a ${role} of the installation for the tenant`,
        { headers: { ...bearer(key), "sluice-tenant": own }, expected: role as Role },
      ]),
    ),
    "an admin by x-api-key": { headers: { "x-api-key": String(keys.admin?.key) }, expected: "admin" },
    "an admin who names another tenant": {
      headers: { ...bearer(String(keys.admin?.key)), "sluice-tenant": other },
      expected: 403,
    },
    "an admin of a suspended tenant": { headers: bearer(ofSuspended.key), expected: 403 },
    "a key of the installation for the tenant": {
      headers: { ...asInstallation, "sluice-tenant": own },
      expected: "installation",
    },
    "a key of the installation for a suspended tenant": {
      headers: { ...asInstallation, "sluice-tenant": suspended },
      expected: "suspended",
    },
    "a key of the installation that names no tenant but *": {
      headers: { ...asInstallation, "sluice-tenant": "*" },
      expected: "star",
    },
    [OF_ALL]: { headers: asInstallation, expected: "none" },
    ...Object.fromEntries(
      await Promise.all(
        roles
          .filter((role) => role !== "producer")
          .map(async (role) => [
            `a session of a ${role}`,
            { headers: await signIn(bearer(String(keys[role]?.key))), expected: role as Expected },
          ]),
      ),
    ),
    "a session of the installation for the tenant": {
      headers: { ...(await signIn(asInstallation)), "sluice-tenant": own },
      expected: "installation",
    },
    [SESSION_OF_ALL]: { headers: await signIn(asInstallation), expected: "none" },
    "an admin's session from the page of another host": {
      // Another page on this machine, because the local API refuses any page of another one by itself.
      headers: { ...(await signIn(bearer(ownAdminKey))), origin: "http://localhost:1" },
      expected: "foreign page",
    },
    "an admin's session without an origin": {
      headers: { cookie: (await signIn(bearer(ownAdminKey))).cookie },
      expected: "foreign page",
    },
    "a damaged session": {
      headers: await signIn(bearer(ownAdminKey)).then(({ cookie, origin }) => ({
        cookie: otherLastDigit(cookie),
        origin,
      })),
      expected: 401,
    },
    "a reader's key beside an admin's session": {
      headers: { ...(await signIn(bearer(ownAdminKey))), ...bearer(String(keys.reader?.key)) },
      expected: "reader",
    },
  };
  const page = await target.call("/console");
  fileOfPage = /console\/(app-[0-9A-Z]+\.js)/.exec(page.text)?.[1] ?? "none";
});
afterAll(async () => {
  await target?.call(`/subscriptions/${foreignSubscriptionId}`, { method: "DELETE", headers: bearer(foreignKey) });
  await target?.close();
});

/** Signs in with a key, and gives back the headers that a browser then sends. */
async function signIn(headers: Record<string, string>): Promise<{ cookie: string; origin: string }> {
  const { origin } = new URL(target.url);
  const made = await target.call("/console/codes", { method: "POST", headers });
  const { code } = JSON.parse(made.text) as { code: string };
  const answer = await target.call("/console/sessions", {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify({ code }),
  });
  return { cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "", origin };
}

function otherLastDigit(key: string): string {
  return `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("who may do what", () => {
  it("asks for no key on exactly these routes", () => {
    expect(open.map(({ route: { method, path } }) => `${method} ${path}`).toSorted()).toEqual([
      "GET /console",
      "GET /console/{file}",
      "GET /docs",
      "GET /docs/page.js",
      "GET /docs/rapidoc-min.js",
      "GET /health",
      "GET /openapi.json",
      "GET /schemas",
      "GET /schemas/{type}",
      "POST /console/sessions",
    ]);
  });

  it("has a row for every scope that a route names", () => {
    expect(guarded.map(({ scope }) => scope).filter((scope) => !Object.hasOwn(mayUse, scope))).toEqual([]);
    expect(guarded.length).toBeGreaterThan(1);
  });

  // The rows are there to be seen: else no search for them below could fail.
  it.each(guarded.filter(({ operationId }) => WITH_ROWS.has(operationId)))(
    "gives the other tenant itself by $operationId what its own is",
    async (each) => {
      const { text } = await ask(each, bearer(foreignKey));

      expect(text).toContain(marker);
    },
  );

  it.each(guarded)(
    "gives $operationId to each caller as the table says, without a word of another tenant",
    async (each) => {
      const { operationId, route, scope } = each;
      const answers = await Promise.all(
        Object.entries(callers).map(async ([name, { headers, expected }]) => {
          const query = name === "an admin's key in the query" ? KEY_IN_QUERY() : "";
          // A session makes no code, or it could prolong itself.
          const isProlonged = operationId === "createCode" && "cookie" in headers && !("authorization" in headers);
          const wanted = isProlonged && expected !== 401 ? 403 : wantedStatus(expected, each);
          return { name, wanted, ...(await ask(each, headers, query)) };
        }),
      );

      expect(Object.fromEntries(answers.map((answer) => [answer.name, outcomeOf(answer)]))).toEqual(
        Object.fromEntries(answers.map(({ name, wanted }) => [name, wanted])),
      );
      const ofTenant = answers.filter(({ name }) => name !== OF_ALL && name !== SESSION_OF_ALL);
      expect(ofTenant.filter(({ text }) => text.includes(marker)).map(({ name }) => name)).toEqual([]);
      // The object in the path is the other tenant's, or there is none: nobody does anything with it, unseen either.
      const isAboutObject = route.path.includes("{") && scope !== "tenants";
      expect(ofTenant.filter(({ status }) => isAboutObject && status < 400).map(({ name }) => name)).toEqual([]);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      const madeKey = (status: number) => status === 201 && ["createKey", "rotateKey"].includes(operationId);
      const isKeyIn = new RegExp(KEY_PATTERN);
      expect(answers.filter(({ status, text }) => !madeKey(status) && isKeyIn.test(text))).toEqual([]);
    },
  );

  it.each(open)("gives $operationId to each caller alike, whatever the key", async (each) => {
    const answers = await Promise.all(
      Object.entries(callers).map(async ([name, { headers }]) => ({
        name,
        ...(await ask(each, { ...headers, origin: new URL(target.url).origin })),
      })),
    );

    const [first] = answers;
    // Whoever asks to sign in is known by the code; the example's is none.
    if (each.operationId === "signIn") expect(first?.status).toBe(401);
    else expect(first?.status).toBeLessThan(400);
    expect(answers.filter(({ status }) => status !== first?.status).map(({ name }) => name)).toEqual([]);
    expect(answers.filter(({ text }) => text.includes(marker)).map(({ name }) => name)).toEqual([]);
  });
});

const KEY_IN_QUERY = () => `?api_key=${ownAdminKey}&access_token=${ownAdminKey}`;

type Operation = { operationId: OperationId; route: Route };

async function ask(each: Operation, headers: Record<string, string>, query = "") {
  const { status, text } = await target.call(`${pathOf(each)}${query}`, {
    method: each.route.method,
    headers: { ...bodyHeaders(each), ...headers },
    body: bodyOf(each),
  });
  return { status, text };
}

/** Codes of a 400 that is about the caller; any other is about the example request. */
const ABOUT_THE_CALLER: ReadonlySet<string> = new Set(["tenant_required", "bad_header"]);

function outcomeOf({ status, text }: { status: number; text: string }): "allowed" | number {
  if (status === 401 || status === 403 || status >= 500) return status;
  return status === 400 && ABOUT_THE_CALLER.has((JSON.parse(text) as { code: string }).code) ? 400 : "allowed";
}

function wantedStatus(
  expected: Expected,
  { operationId, route, scope }: { operationId: OperationId; route: Route; scope: Scope },
): "allowed" | number {
  // The cookie alone reads; a change must come from our own page.
  if (expected === "foreign page") return route.method === "GET" && mayUse[scope].admin ? "allowed" : 403;
  // Routes about tenants concern none. Those about dead letters, keys, the audit log and the state may concern the installation itself,
  // but the example of a new key names no tenant either, and a restore, an erasure or a hold is that of a tenant.
  if (expected === "star") return scope === "tenants" ? "allowed" : 400;
  if (expected === "none")
    return ["tenants", "keys", "admin", "dead-letters:read", "dead-letters:replay", "status", "console"].includes(
      scope,
    ) && !["createKey", "startRestore", "startErasure", "createHold"].includes(operationId)
      ? "allowed"
      : 400;
  // The owner of the installation manages the keys of a suspended tenant, and reads its audit log.
  if (expected === "suspended") return ["tenants", "keys", "admin", "console"].includes(scope) ? "allowed" : 403;
  return typeof expected === "number" ? expected : mayUse[scope][expected] ? "allowed" : 403;
}

/** The objects of the other tenant. */
const ofSubscription = (parameter: string) => (parameter === "retryId" ? foreignRedeliveryId : foreignSubscriptionId);
const FOREIGN: Partial<Record<OperationId, (parameter: string) => string>> = {
  consoleFile: () => fileOfPage,
  readEvent: () => foreignEventId,
  readKey: () => foreignKeyId,
  revokeKey: () => foreignKeyId,
  rotateKey: () => foreignKeyId,
  readSubscription: ofSubscription,
  changeSubscription: ofSubscription,
  deleteSubscription: ofSubscription,
  seekSubscription: ofSubscription,
  disableSubscription: ofSubscription,
  enableSubscription: ofSubscription,
  rotateSecret: ofSubscription,
  listAttempts: ofSubscription,
  listDeliveries: ofSubscription,
  groupFailures: ofSubscription,
  startRedelivery: ofSubscription,
  listRedeliveries: ofSubscription,
  readRedelivery: ofSubscription,
  cancelRedelivery: ofSubscription,
};

function pathOf({ operationId, route }: Operation): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(FOREIGN[operationId]?.(name) ?? parameters[operationId]?.[name] ?? `absent-${run}`),
  );
}

function bodyOf({ operationId }: { operationId: OperationId }): string | undefined {
  const [examples] = Object.values(requests[operationId] ?? {});
  const [example] = Object.values(examples ?? {});
  return example === undefined ? undefined : JSON.stringify(example.value);
}

function bodyHeaders({ operationId }: { operationId: OperationId }): Record<string, string> {
  const [contentType] = Object.keys(requests[operationId] ?? {});
  return contentType === undefined ? {} : { "content-type": contentType };
}
