import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../functions/core/access.ts";
import { NO_HEAD } from "../../functions/core/audit.ts";
import { startAccessApi } from "../support/access-api.ts";
import { callScript } from "../support/call-script.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import type { AuditRows } from "../unit/access/support.ts";

let api: Awaited<ReturnType<typeof startAccessApi>>;
let folder: TemporaryFolder;
let installationKey: string;
beforeEach(async () => {
  api = await startAccessApi();
  folder = await temporaryFolder();
  installationKey = await api.makeInstallationKey();
  await writeRuntime({ installationKey });
});
afterEach(async () => {
  await api.stop();
  await folder.remove();
});

/** Writes the file that `npm start` writes while it runs. */
async function writeRuntime(more: object): Promise<void> {
  const runtime = {
    url: api.url,
    queueUrl: api.url,
    deadLetterQueueUrl: api.url,
    awsEndpointUrl: api.url,
    region: "r",
  };
  await writeFile(join(folder.path, "runtime.json"), JSON.stringify({ ...runtime, ...more }));
}

/** Runs a command for the runtime of the folder. */
const run = (words: string[], environment: NodeJS.ProcessEnv = {}) => {
  const [name = "", ...rest] = words;
  return callScript(name, [...rest, "--data-dir", folder.path], { SLUICE_API_KEY: "", ...environment });
};

/** Makes a key without a command. */
async function makeKey(tenant: string, role: string): Promise<string> {
  const response = await fetch(`${api.url}/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${installationKey}`, "content-type": "application/json" },
    body: JSON.stringify({ tenant, role }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { key: string }).key;
}

const first = (entries: AuditRows["entries"]): AuditEntry => entries.get(1) as AuditEntry;

const idOf = (key: string) => key.slice("sluice_".length, "sluice_".length + 12);

describe("npm run keys", () => {
  it("keys makes a key and writes it alone to stdout, and what it is to stderr", async () => {
    const { code, stdout, stderr } = await run([
      "keys",
      "create",
      "--tenant",
      "acme",
      "--role",
      "admin",
      "--expires",
      "90d",
    ]);

    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sluice_[0-9A-Za-z]{50}\n$/) });
    expect(stderr).toContain(`Key ${idOf(stdout)}, admin of the tenant acme, expires at `);
    expect(stderr).not.toContain(stdout.trim());
    expect(await api.store.tenant("acme")).toMatchObject({ state: "active" });
  });

  it("keys makes, lists, shows, rotates and revokes one key, each as one JSON document", async () => {
    const json = async (words: string[]) => {
      const { code, stdout, stderr } = await run(["keys", ...words, "--json"]);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout) as Record<string, unknown> & { id: string }[];
    };
    const settings = [
      "--types",
      "com.example.*",
      "order",
      "--sources",
      "/shop",
      "--events-per-second",
      "5",
      "--name",
      "shop",
    ];
    const made = await json(["create", "--tenant", "acme", "--role", "producer", ...settings]);
    const id = made["id"] as string;

    expect(made).toMatchObject({
      tenant: "acme",
      types: ["com.example.*", "order"],
      sources: ["/shop"],
      limits: { eventsPerSecond: 5 },
      name: "shop",
    });
    expect(await json(["show", id])).toMatchObject({ id, state: "active" });
    const rotated = await json(["rotate", id, "--grace", "1h"]);
    expect(rotated).toMatchObject({ replaces: id, key: expect.stringMatching(/^sluice_/) });
    expect(await json(["revoke", id])).toMatchObject({ id, state: "revoked" });
    expect((await run(["keys", "revoke", id])).stderr).toContain(`The key ${id} is revoked`);
    expect((await json(["list", "--tenant", "acme"])).map((key) => key.id)).toEqual([rotated["id"]]);
    expect(new Set((await json(["list", "--tenant", "acme", "--ended"])).map((key) => key.id))).toEqual(
      new Set([id, rotated["id"]]),
    );
    expect((await json(["list", "--tenant", "*"])).map((key) => key.id)).toEqual([idOf(installationKey)]);
  });

  it("keys lists for people, with a line for each key, whatever its name", async () => {
    await run([
      "keys",
      "create",
      "--tenant",
      "acme",
      "--role",
      "reader",
      "--name",
      "a \u202e name",
      "--events-per-day",
      "7",
    ]);

    const { stdout, stderr } = await run(["keys", "list", "--tenant", "acme"]);

    expect(stdout.split("\n")[0]).toMatch(/^ID +TENANT +ROLE +STATE +CREATED BY +LAST USED +EXPIRES +NAME +LIMITS$/);
    expect(stdout).toMatch(
      /^\w{12} {2}acme {4}reader {2}active {2}\w{12} {2}never {6}never {4}a \\u\{202e\} name {2}7 events\/day$/m,
    );
    expect(stderr).toBe("1 key\n");
  });

  it("keys lists those that were made with one key, by rotation too, and shows that key of each", async () => {
    const thief = await makeKey("acme", "admin");
    const victim = idOf(await makeKey("acme", "reader"));
    const asThief = { SLUICE_API_KEY: thief };
    const made = idOf((await run(["keys", "create", "--role", "producer"], asThief)).stdout);
    const rotated = idOf((await run(["keys", "rotate", victim], asThief)).stdout);

    const { stdout } = await run(["keys", "list", "--created-by", idOf(thief), "--ended", "--json"]);

    const listed = JSON.parse(stdout) as { id: string; createdBy: string }[];
    expect(new Set(listed.map(({ id }) => id))).toEqual(new Set([made, rotated]));
    expect(new Set(listed.map(({ createdBy }) => createdBy))).toEqual(new Set([idOf(thief)]));
    expect((await run(["keys", "show", made])).stdout).toMatch(new RegExp(`^createdBy +${idOf(thief)}$`, "m"));
    expect((await run(["keys", "list", "--created-by", "me"])).stderr).toContain(
      "is neither an id of a key nor deployer",
    );
  });

  it("keys reads a list of more than one page", async () => {
    await api.store.createTenant({ tenant: "acme", state: "active", createdAt: new Date().toISOString() });
    for (let at = 0; at < 101; at++) {
      const id = `key${String(at).padStart(9, "0")}`;
      await api.store.createKey({
        id,
        hash: "",
        tenant: "acme",
        role: "reader",
        createdBy: "deployer",
        createdAt: new Date().toISOString(),
      });
    }

    expect((await run(["keys", "list", "--tenant", "acme"])).stderr).toBe("101 keys\n");
  });

  it("keys uses the key in SLUICE_API_KEY before that of the runtime, with the rights of that key", async () => {
    const own = await makeKey("acme", "admin");
    const environment = { SLUICE_API_KEY: own };

    const listed = JSON.parse((await run(["keys", "list", "--json"], environment)).stdout) as { id: string }[];
    const refused = await run(["tenants", "list"], environment);

    expect(listed.map(({ id }) => id)).toEqual([idOf(own)]);
    expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("(HTTP 403 forbidden)") });
  });

  it.each([
    [["keys", "create", "--role", "admin"], "--tenant NAME", "(HTTP 400 tenant_required)"],
    [["keys", "create", "--tenant", "acme", "--role", "admin", "--expires", "soon"], "expires takes", "malformed_body"],
    [["keys", "create", "--tenant", "acme", "--role", "root"], "Allowed choices are", "root"],
    [["keys", "create", "--tenant", "acme"], "--role", "not specified"],
    [["keys", "create", "--tenant", "acme", "--role", "admin", "--burst", "0"], "--burst takes a whole number", ""],
    [
      ["keys", "create", "--tenant", "acme", "--role", "admin", "--burst", "3"],
      "--burst needs --events-per-second",
      "",
    ],
    [["tenants", "set", "acme", "--unlimited", "--burst", "3"], "--burst needs --events-per-second", ""],
    [["keys", "show", "absent000000"], "There is no key absent000000", "(HTTP 404 no_such_key)"],
    [["keys", "revoke", "../tenants"], "is no id of a key", "bad_parameter"],
    [["tenants", "show", "nobody"], "npm run tenants -- set nobody", "(HTTP 404 no_such_tenant)"],
    [["tenants", "set", "acme"], "Nothing to set", ""],
    [["tenants", "set", "acme", "--suspend", "--resume"], "cannot be used with", ""],
    [["audit", "verify", "--from-head", "12"], "--from-head takes a head", ""],
  ])("%j is refused in one line, with exit code 2", async (words, ...why) => {
    const { code, stdout, stderr } = await run(words);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const each of why) expect(stderr).toContain(each);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("keys says what to do where there is no key, and where the key is of another stack", async () => {
    await writeRuntime({});
    const none = await run(["keys", "list"]);
    const other = await run(["keys", "list"], { SLUICE_API_KEY: "sluice_other" });

    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("Set SLUICE_API_KEY in the environment") });
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("(HTTP 401 unauthenticated)") });
    expect(other.stderr).not.toContain("sluice_other");
  });
});

describe("npm run keys for a deployed stack", () => {
  const outputs = () => join(folder.path, "outputs.json");
  const deployed = (words: string[], environment: NodeJS.ProcessEnv = {}) =>
    callScript("keys", [...words, "--outputs", outputs()], {
      SLUICE_API_KEY: "",
      AWS_ENDPOINT_URL_LAMBDA: api.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "eu-central-1",
      ...environment,
    });
  const writeOutputs = (more: object) =>
    writeFile(
      outputs(),
      JSON.stringify({
        "Sluice-dev": { ApiUrl: `${api.url}/`, QueueUrl: api.url, DeadLetterQueueUrl: api.url, ...more },
      }),
    );

  it("makes itself a key of the installation for a quarter of an hour, by the credentials for AWS", async () => {
    await writeOutputs({ AccessFunctionName: "access" });

    const { code, stdout } = await deployed(["create", "--tenant", "acme", "--role", "producer"]);

    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sluice_/) });
    expect(api.invocations).toEqual([{ createInstallationKey: { name: expect.any(String), expires: "15m" } }]);
  });

  it("asks for SLUICE_API_KEY where the invocation is refused, and invokes nothing where it is there", async () => {
    await writeOutputs({ AccessFunctionName: "access" });

    const refused = await deployed(["list"], { AWS_ENDPOINT_URL_LAMBDA: "http://127.0.0.1:1", AWS_MAX_ATTEMPTS: "1" });
    const given = await deployed(["list"], { SLUICE_API_KEY: installationKey });

    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/No key could be made.+SLUICE_API_KEY/) });
    expect(given.code).toBe(0);
    expect(api.invocations).toEqual([]);
  });

  it("asks for SLUICE_API_KEY where the stack is older than the function", async () => {
    await writeOutputs({});

    expect(await deployed(["list"])).toMatchObject({ code: 2, stderr: expect.stringContaining("SLUICE_API_KEY") });
  });
});

describe("npm run tenants", () => {
  it("tenants makes, limits, suspends and resumes a tenant, and keeps what it does not name", async () => {
    const set = async (...words: string[]) => {
      const { code, stdout, stderr } = await run(["tenants", "set", "acme", ...words, "--json"]);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout) as object;
    };

    expect(await set("--events-per-second", "5")).toMatchObject({ state: "active", limits: { eventsPerSecond: 5 } });
    expect(await set("--suspend")).toMatchObject({ state: "suspended", limits: { eventsPerSecond: 5 } });
    expect(await set("--resume", "--events-per-day", "9")).toMatchObject({
      state: "active",
      limits: { eventsPerSecond: 5, eventsPerDay: 9 },
    });
    expect(await set("--burst", "7")).toMatchObject({ limits: { eventsPerSecond: 5, burst: 7, eventsPerDay: 9 } });
    expect(await set("--unlimited", "--requests-per-second", "3")).toMatchObject({ limits: { requestsPerSecond: 3 } });
    expect(await set("--unlimited")).toMatchObject({ limits: {} });
    const shown = await run(["tenants", "show", "acme"]);
    expect(shown.stdout).toMatch(/^tenant +acme$/m);
    const listed = await run(["tenants", "list"]);
    expect(listed.stdout).toMatch(/^acme {4}active/m);
  });
});

describe("npm run audit", () => {
  it("audit lists the changes of a tenant, and verifies them to a head that it prints", async () => {
    await makeKey("acme", "admin");

    const listed = await run(["audit", "list", "--tenant", "acme"]);
    const verified = await run(["audit", "verify", "--tenant", "acme"]);
    const ofInstallation = await run(["audit", "list", "--json"]);

    expect(listed.stdout).toMatch(/^2 +\S+ +\w{12} +key\.create +\w{12} +\{"role":"admin"\}/m);
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2:[0-9a-f]{64}\n$/) });
    expect(JSON.parse(ofInstallation.stdout)).toMatchObject([{ who: "deployer", action: "key.create", tenant: "*" }]);
  });

  it("audit names the entry that somebody edited, with exit code 1, also as JSON", async () => {
    await makeKey("acme", "admin");
    const { entries } = api.audit.rowsOf("acme");
    const [, second] = entries.values();
    if (second !== undefined) second.who = "nobody";

    const verified = await run(["audit", "verify", "--tenant", "acme"]);
    const json = await run(["audit", "verify", "--tenant", "acme", "--json"]);

    expect(verified).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("Entry 2 was edited") });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ entries: 2, fault: { kind: "edited", number: 2 } });
  });

  it.each<[string, (rows: AuditRows) => void, string]>([
    [
      "a time that is none",
      ({ entries }) => Object.assign(entries.get(2) ?? {}, { at: "yesterday" }),
      "Entry 2 was edited",
    ],
    [
      "an entry without any text",
      ({ entries }) => Object.assign(entries.get(2) ?? {}, { at: "", who: "", hash: "" }),
      "Entry 2 was edited",
    ],
    [
      "an entry in between",
      ({ entries }) => entries.set(1.5, { ...first(entries), number: 1.5 }),
      "Entry 1.5 was added",
    ],
    [
      "entries in between that fill a page",
      ({ entries }) => {
        for (let at = 1; at <= 150; at++) entries.set(1 + at / 200, { ...first(entries), number: 1 + at / 200 });
      },
      "Entry 1.005 was added",
    ],
    [
      "an entry behind all",
      ({ entries }) => entries.set(1e120, { ...first(entries), number: 1e120 }),
      "Entry 1e+120 was added",
    ],
    [
      "a head with half a number",
      (rows) => {
        rows.head = { ...rows.head, number: 1.5 };
      },
      "its head, which names entry 1.5, was edited",
    ],
    [
      "a head below zero",
      (rows) => {
        rows.head = { ...rows.head, number: -7 };
      },
      "its head, which names entry -7, was edited",
    ],
    [
      "a head without a hash",
      (rows) => {
        rows.head = { ...rows.head, hash: "unreadable" };
      },
      "its head, which names entry 2, was edited",
    ],
    [
      "no head",
      (rows) => {
        rows.head = NO_HEAD;
      },
      "it has no head, which was removed",
    ],
  ])("audit names %s, with exit code 1, and lists what there is", async (_name, tamper, why) => {
    await makeKey("acme", "admin");
    const rows = api.audit.rowsOf("acme");
    tamper(rows);

    const verified = await run(["audit", "verify", "--tenant", "acme"]);
    const listed = await run(["audit", "list", "--tenant", "acme", "--json"]);

    expect(verified).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining(why) });
    expect(JSON.parse(listed.stdout)).toHaveLength(rows.entries.size);
  });

  it("audit finds by a remembered head that the whole end was removed, the head too", async () => {
    for (const number of ["1", "2"]) await run(["tenants", "set", "acme", "--events-per-day", number]);
    const head = (await run(["audit", "verify", "--tenant", "acme"])).stdout.trim();
    const rows = api.audit.rowsOf("acme");
    rows.entries.delete(2);
    rows.head = { number: 1, hash: first(rows.entries).hash };

    const without = await run(["audit", "verify", "--tenant", "acme"]);
    const withHead = await run(["audit", "verify", "--tenant", "acme", "--from-head", head]);

    expect(without.code).toBe(0);
    expect(withHead).toMatchObject({ code: 1, stderr: expect.stringContaining("the end was removed") });
  });

  it("audit finds by its keys that a log was removed, whole or from the entry of a key on, with a head to match", async () => {
    const [one, other] = [await makeKey("acme", "admin"), await makeKey("acme", "reader")].map(idOf);
    await run(["keys", "rotate", String(other)]);
    expect((await run(["audit", "verify", "--tenant", "acme"])).code).toBe(0);
    const rows = api.audit.rowsOf("acme");
    const head = rows.entries.get(2);
    for (const number of [3, 4]) rows.entries.delete(number);
    rows.head = { number: 2, hash: head?.hash ?? "" };

    const cut = await run(["audit", "verify", "--tenant", "acme", "--json"]);
    rows.entries.clear();
    rows.head = NO_HEAD;
    const removed = await run(["audit", "verify"], { SLUICE_API_KEY: "" });
    const ofTenant = await run(["audit", "verify", "--tenant", "acme"]);

    expect(cut.code).toBe(1);
    expect(JSON.parse(cut.stdout)).toMatchObject({
      fault: { kind: "unrecorded_key", keys: expect.arrayContaining([other]) },
    });
    expect((JSON.parse(cut.stdout) as { fault: { keys: string[] } }).fault.keys).not.toContain(one);
    expect(ofTenant).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^No entry made 3 keys, .+were removed/),
    });
    // The log of the installation has its own key.
    expect(removed.code).toBe(0);
  });

  it("audit says of an empty log that it may have been removed", async () => {
    await api.store.createTenant({ tenant: "acme", state: "active", createdAt: new Date().toISOString() });

    const { code, stdout, stderr } = await run(["audit", "verify", "--tenant", "acme"]);

    expect({ code, stdout }).toEqual({ code: 0, stdout: `0:${"0".repeat(64)}\n` });
    expect(stderr).toContain(
      "There is no entry, and no key. If there were changes, all entries and the head were removed",
    );
  });

  it("audit verifies more entries than one page has", async () => {
    for (let at = 0; at < 205; at++) {
      await api.audit.log.append({
        tenant: "acme",
        at: new Date().toISOString(),
        who: "deployer",
        action: "key.revoke",
        target: String(at),
        details: {},
        requestId: "r",
      });
    }
    await api.store.createTenant({ tenant: "acme", state: "active", createdAt: new Date().toISOString() });

    expect((await run(["audit", "verify", "--tenant", "acme"])).stdout).toMatch(/^205:/);
  });
});

describe("the keys of the commands", () => {
  it("the keys are in no log line, and in no list of processes: no option takes one", async () => {
    const { stdout } = await run(["keys", "create", "--tenant", "acme", "--role", "admin"]);
    await run(["keys", "list"], { SLUICE_API_KEY: stdout.trim() });

    const secrets = [stdout.trim(), installationKey].flatMap((key) => [key, key.slice(19, 51)]);
    for (const secret of secrets) expect(JSON.stringify(api.lines)).not.toContain(secret);
    for (const name of ["keys", "tenants", "audit"]) {
      const { stdout: help } = await callScript(name, ["--help"]);
      expect(help).not.toMatch(/--\w*key/);
    }
  });
});
