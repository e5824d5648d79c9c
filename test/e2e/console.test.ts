import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let origin: string;
/** Random, because the target may be a stack that is used again. */
const run = randomUUID().slice(0, 8);
const tenant = `console-${run}`;
beforeAll(async () => {
  target = await openTarget();
  origin = new URL(target.url).origin;
});
afterAll(() => target?.close());

/** Another page on this machine, because the local API refuses any page of another one by itself. */
const FOREIGN = "http://localhost:1";

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function makeCode(headers: Record<string, string>): Promise<string> {
  const { status, text } = await target.call("/console/codes", { method: "POST", headers });
  expect(status, text).toBe(201);
  return (JSON.parse(text) as { code: string }).code;
}

const exchange = (code: string, headers: Record<string, string> = { origin }) =>
  target.call("/console/sessions", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ code }),
  });

/** Signs in with a key, and gives back the headers that a browser then sends. */
async function signIn(headers: Record<string, string>): Promise<{ cookie: string; origin: string }> {
  const answer = await exchange(await makeCode(headers));
  expect(answer.status, answer.text).toBe(201);
  return { cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "", origin };
}

const statusOf = async (path: string, headers: Record<string, string>, method = "GET") =>
  (await target.call(path, { method, headers })).status;

const codeOf = ({ text }: { text: string }) => (JSON.parse(text) as { code: string }).code;

describe("the operator's page", () => {
  it("the page and its files are served with their headers, below the name of a stage too", async () => {
    const page = await target.call("/console");
    const [file] = /console\/app-[0-9A-Z]+\.js/.exec(page.text) ?? [];
    const script = await target.call(`/${file}`);

    expect([page.status, script.status]).toEqual([200, 200]);
    expect(page.headers.get("content-security-policy")).toContain("require-trusted-types-for 'script'");
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    // The client undoes the compression; a body that was damaged on the way would be no script.
    expect(script.text).toMatch(/^(var|let|const|import|\(|"use)/);
    expect(await statusOf("/console", { "if-none-match": page.headers.get("etag") ?? "" })).toBe(304);
    expect((await target.call("/console/app-AAAAAAAA.js")).status).toBe(404);
  });

  it("a code signs in once, and the session may do what its key may", async () => {
    const { key } = await target.createKey({ tenant, role: "reader" });
    const code = await makeCode(bearer(key));

    const first = await exchange(code);
    const second = await exchange(code);

    expect([first.status, second.status, codeOf(second)]).toEqual([201, 401, "bad_code"]);
    expect(first.headers.get("set-cookie")).toMatch(
      /^__Host-sluice=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800$/,
    );
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(await statusOf("/events", { cookie })).toBe(200);
    expect(await statusOf("/events", { cookie }, "HEAD")).toBe(200);
    expect(await statusOf("/keys", { cookie })).toBe(403);
    const session = await target.call("/console/session", { headers: { cookie } });
    expect(JSON.parse(session.text)).toMatchObject({ tenant, role: "reader", scopes: ["events:read", "console"] });
  });

  it("a change needs the origin of the API, and a sign-in too", async () => {
    const { key } = await target.createKey({ tenant, role: "admin" });
    const { cookie } = await signIn(bearer(key));
    const query = (headers: Record<string, string>) =>
      target.call("/events/query", {
        method: "POST",
        headers: { cookie, "content-type": "application/json", ...headers },
        body: "{}",
      });

    expect((await query({ origin })).status).toBe(200);
    for (const headers of [{}, { origin: FOREIGN }]) {
      const refused = await query(headers as Record<string, string>);
      expect([refused.status, codeOf(refused)]).toEqual([403, "forbidden_origin"]);
    }
    const code = await makeCode(bearer(key));
    for (const headers of [{}, { origin: FOREIGN }])
      expect((await exchange(code, headers as Record<string, string>)).status).toBe(403);
    expect((await exchange(code)).status).toBe(201);
  });

  it("a session ends when it is signed out, and another of the same key goes on", async () => {
    const { key } = await target.createKey({ tenant, role: "operator" });
    const [mine, other] = [await signIn(bearer(key)), await signIn(bearer(key))];
    expect(await statusOf("/status", mine)).toBe(200);

    const answer = await target.call("/console/session", { method: "DELETE", headers: mine });

    expect(answer.status).toBe(204);
    expect(answer.headers.get("set-cookie")).toContain("Max-Age=0");
    await eventually(
      () => statusOf("/status", mine),
      (status) => status === 401,
      30_000,
    );
    expect(await statusOf("/status", other)).toBe(200);
  });

  it("a session ends when its key is revoked, and a code of that key signs nobody in", async () => {
    const { id, key } = await target.createKey({ tenant, role: "operator" });
    const session = await signIn(bearer(key));
    const code = await makeCode(bearer(key));
    expect(await statusOf("/status", session)).toBe(200);

    const headers = { ...bearer(target.installationKey), "sluice-tenant": tenant };
    await target.call(`/keys/${id}`, { method: "DELETE", headers });

    expect(codeOf(await exchange(code))).toBe("bad_code");
    await eventually(
      () => statusOf("/status", session),
      (status) => status === 401,
      30_000,
    );
  });

  it("a session ends while its tenant is suspended", async () => {
    const suspended = `console-suspended-${run}`;
    const { key } = await target.createKey({ tenant: suspended, role: "operator" });
    const session = await signIn(bearer(key));
    expect(await statusOf("/status", session)).toBe(200);

    await target.call(`/tenants/${suspended}`, {
      method: "PUT",
      headers: { ...bearer(target.installationKey), "content-type": "application/json" },
      body: JSON.stringify({ state: "suspended" }),
    });

    await eventually(
      () => statusOf("/status", session),
      (status) => status === 403,
      30_000,
    );
  });

  it("the command prints a link whose code signs in, as an operator of every tenant", async () => {
    const { code: exit, stdout, stderr } = await target.run("console");

    expect(exit, stderr).toBe(0);
    const [link, code] = /^(\S+\/console)#\/sign-in\?code=(\S+)\n$/.exec(stdout)?.slice(1) ?? [];
    expect(link).toMatch(/^https?:\/\//);
    const signedIn = await exchange(code ?? "");
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    const session = await target.call("/console/session", { headers: { cookie } });
    expect(JSON.parse(session.text)).toMatchObject({ keyTenant: "*", tenant: "*", role: "admin" });
    expect(await statusOf("/events", { cookie, "sluice-tenant": tenant })).toBe(200);
  });

  it("the audit log has what happened, and no log has a code or a session", async () => {
    const { key } = await target.createKey({ tenant, role: "admin" });
    const session = await signIn(bearer(key));
    await target.call("/console/session", { method: "DELETE", headers: session });

    const { text } = await target.call("/audit", { headers: bearer(key) });
    const { entries } = JSON.parse(text) as { entries: { action: string }[] };

    expect(entries.map(({ action }) => action).slice(-3)).toEqual([
      "console.code",
      "console.sign_in",
      "console.sign_out",
    ]);
    for (const each of [text, ...target.logged()]) expect(each).not.toMatch(/sluice_(code|session)_/);
  });
});
