import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeKey, parseKey } from "../../functions/core/key.ts";
import { eventually } from "../support/eventually.ts";
import { refuseSecretsIn, secretTexts } from "../support/secret-texts.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

let runtime: TestRuntime;
beforeAll(async () => {
  runtime = await startTestRuntime();
});
afterAll(() => runtime?.remove());

const event = () => JSON.stringify({ source: "/access", type: "com.example.access", data: 1 });

const ask = (path: string, key: string, init: RequestInit = {}) =>
  fetch(`${runtime.addresses.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
  });

const send = async (key: string) => (await ask("/events", key, { method: "POST", body: event() })).status;

async function createKey(): Promise<{ id: string; key: string }> {
  const { installationKey } = runtime.addresses;
  const body = JSON.stringify({ tenant: "default", role: "producer" });
  return (await ask("/keys", installationKey, { method: "POST", body })).json() as Promise<{ id: string; key: string }>;
}

describe("keys of the local runtime", () => {
  it("a key that is revoked while it is used is refused by every function process in the end", async () => {
    const { id, key } = await createKey();
    const { installationKey } = runtime.addresses;
    expect(await Promise.all(Array.from({ length: 8 }, () => send(key)))).toEqual(Array(8).fill(202));

    const revoked = await ask(`/keys/${id}`, installationKey, { method: "DELETE" });

    expect(revoked.status).toBe(204);
    await eventually(
      () => Promise.all(Array.from({ length: 8 }, () => send(key))),
      (statuses) => statuses.every((status) => status === 401),
      60_000,
    );
  });

  it("a key that was replaced is followed at once by its successor", async () => {
    const { id, key } = await createKey();
    expect(await send(key)).toBe(202);

    const response = await ask(`/keys/${id}/rotate`, runtime.addresses.installationKey, { method: "POST", body: "{}" });
    const { key: successor } = (await response.json()) as { key: string };

    expect(response.status).toBe(201);
    expect(await Promise.all(Array.from({ length: 8 }, () => send(successor)))).toEqual(Array(8).fill(202));
  });

  it("an unknown key is refused, with the same answer as a key that is only mistyped in its secret part", async () => {
    const { id, key } = await createKey();
    const answer = async (sent: string) => {
      const response = await ask("/events", sent, { method: "POST", body: event() });
      const { requestId, ...body } = (await response.json()) as Record<string, unknown>;
      expect(requestId).toEqual(expect.any(String));
      return { status: response.status, body };
    };
    const unknown = makeKey((count) => crypto.getRandomValues(new Uint8Array(count))).text;
    const mistyped = withOtherSecret(key);
    expect([parseKey(mistyped), mistyped === key]).toEqual([{ id }, false]);

    const answers = [await answer(unknown), await answer(mistyped)];

    expect(answers[0]).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    expect(answers[1]).toEqual(answers[0]);
  });

  it("no process of the runtime has a key or a password of the database in its command line or environment", async () => {
    if (process.platform !== "linux") return;
    const secrets = await secretTexts(runtime.dataDir);
    const texts = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => ["cmdline", "environ"].map((file) => readOrNothing(`/proc/${pid}/${file}`)))
      .filter((text) => text.includes(runtime.addresses.dataApiUrl) || text.includes(runtime.dataDir));

    expect(texts.length).toBeGreaterThan(0);
    expect(secrets).toContain(new URL(runtime.addresses.databaseUrl).password);
    // The owner, the writer, the reader, and the secret of the keys.
    expect(secrets.length).toBeGreaterThanOrEqual(4);
    expect(() => refuseSecretsIn(texts, secrets)).not.toThrow();
  });

  // Traces are what remains: X-Ray makes those of API Gateway and Lambda, without headers and bodies. The spans of functions are our
  // own, and test/local/tracing.test.ts searches them.
  it("no library that writes traces is installed, whose segments the tests would have to search for keys", () => {
    const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: object };

    expect(Object.keys(dependencies).filter((name) => /xray|x-ray|opentelemetry|tracer|adot/i.test(name))).toEqual([]);
  });

  it("no file of the data folder has a key or a password in it, but those that are there to keep one", async () => {
    const { key } = await createKey();
    expect(await send(key)).toBe(202);
    const secrets = [...(await secretTexts(runtime.dataDir)), runtime.addresses.apiKey, key];
    const keeps = /^(?:secrets\/.*|postgres\/password|keys\.json|api-key|runtime\.json)$/;

    const files = filesOf(runtime.dataDir);
    const found = files.filter(({ text }) => secrets.some((secret) => text.includes(secret))).map(({ name }) => name);

    expect(files.map(({ name }) => name.split("/")[0])).toEqual(
      expect.arrayContaining(["dynamodb", "postgres", "sqs"]),
    );
    expect(found.filter((name) => keeps.test(name))).not.toEqual([]);
    expect(found.filter((name) => !keeps.test(name))).toEqual([]);
  });
});

/** The files of a folder; PostgreSQL's may be behind a symbolic link, and some end meanwhile. */
function filesOf(folder: string): { name: string; text: string }[] {
  const names = ["", "postgres"].flatMap((part) =>
    readdirSync(realpathSync(join(folder, part)), { recursive: true, encoding: "utf8" }).map((name) =>
      join(part, name),
    ),
  );
  return [...new Set(names)].map((name) => ({ name, text: readOrNothing(join(folder, name)) }));
}

const ID_CHARACTERS = 12;

/** A key of the same id whose secret part has another first character, and the checksum of that. */
function withOtherSecret(key: string): string {
  const random = key.slice("sluice_".length, -6);
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const bytes = Array.from(random, (character) => digits.indexOf(character));
  bytes[ID_CHARACTERS] = ((bytes[ID_CHARACTERS] ?? 0) + 1) % digits.length;
  return makeKey((count) => Uint8Array.from(bytes.splice(0, count))).text;
}

/** A process may end meanwhile. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
