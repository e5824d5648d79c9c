import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { childrenOf, describeProcess } from "../../localstack/postgres/process-table.ts";
import type { Addresses } from "../../localstack/addresses.ts";
import { startRuntime } from "../../localstack/runtime.ts";
import { synthesize } from "../../localstack/template/synthesize.ts";
import { removeDataDir } from "../support/cluster.ts";
import { queueCounts, sqsClient } from "../support/sqs.ts";
import { eventually } from "../support/eventually.ts";
import { call, get, post } from "../support/http.ts";
import { query, startCommand, startCommandWith } from "../support/runtime.ts";
import { SHELL_SETTINGS } from "../support/shell-settings.ts";

/** Of a stop that ended by itself: after five seconds localstack/start.ts ends the process with another code. */
const IN_TIME = 0;

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-start-"));
});
afterAll(() => removeDataDir(dataDir));

const event = (id: string) => ({ id, source: "/start", type: "com.example.start", data: {} });

describe("npm start", () => {
  it("the local runtime keeps rows and queued events over a stop, and stops by itself within five seconds", async () => {
    const [stored, queued] = [randomUUID(), randomUUID()];
    const first = await startCommand(dataDir);
    await post(first.addresses.url, event(stored));
    await eventually(
      () => get(`${first.addresses.url}/events/${stored}`),
      ({ status }) => status === 200,
    );
    await fetch(`${first.addresses.dataApiUrl}/_faults`, {
      method: "PUT",
      body: JSON.stringify([{ kind: "error", error: "DatabaseUnavailableException" }]),
    });
    expect((await post(first.addresses.url, event(queued))).status).toBe(202);

    first.child.kill("SIGINT");
    expect(await first.exitCode).toBe(IN_TIME);
    await expect(fetch(first.addresses.url)).rejects.toThrow("fetch failed");

    const second = await startCommand(dataDir);
    try {
      const read = (id: string) =>
        eventually(
          () => get(`${second.addresses.url}/events/${id}`),
          ({ status }) => status === 200,
        );
      await read(stored);
      await read(queued);
      expect(await query(second.addresses.databaseUrl, "select count(*)::int as rows from events")).toEqual([
        { rows: 2 },
      ]);
    } finally {
      second.child.kill("SIGTERM");
    }
    expect(await second.exitCode).toBe(0);
  });

  it("the local runtime starts with an empty folder with --fresh, and ends at once at the second signal", async () => {
    const { child, addresses, exitCode, log } = await startCommand(dataDir, "--fresh");
    expect(await query(addresses.databaseUrl, "select count(*)::int as rows from events")).toEqual([{ rows: 0 }]);
    const { ended } = await holdRequest(addresses);

    child.kill("SIGINT");
    await eventually(
      async () => log,
      (lines) => lines.some((line) => line.startsWith("Stopping")),
    );
    child.kill("SIGINT");

    // The first signal alone waits for the request, and then ends with 0.
    expect(await exitCode).toBe(130);
    expect(await ended).toBe("cut off");
  });

  it("the local runtime stops by itself within five seconds although PostgreSQL is frozen, a request waits and a batch waits", async () => {
    const { child, addresses, exitCode, log } = await startCommand(dataDir);
    const id = randomUUID();
    const postgres = partOf(child, SERVER);
    for (const pid of [...childrenOf(postgres), postgres]) process.kill(pid, "SIGSTOP");
    expect((await post(addresses.url, event(id))).status).toBe(202);
    const waiting = call(`${addresses.url}/events/${id}`);
    await eventually(
      () => inFlight(addresses),
      (messages) => messages === 1,
    );

    child.kill("SIGHUP");

    expect(await exitCode, log.join("\n")).toBe(IN_TIME);
    expect([503, 504]).toContain((await waiting).status);
    expect(describeProcess(postgres)).toBeUndefined();

    const second = await startCommand(dataDir);
    try {
      await eventually(
        () => get(`${second.addresses.url}/events/${id}`),
        ({ status }) => status === 200,
      );
    } finally {
      second.child.kill("SIGTERM");
    }
    expect(await second.exitCode).toBe(0);
  });

  it("the local runtime ends by itself within five seconds and without a greeting when it is stopped during the start", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-start-"));
    try {
      const child = spawn(process.execPath, ["localstack/start.ts", "--json", "--port", "0", "--data-dir", folder], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const output: string[] = [];
      child.stdout.on("data", (chunk: Buffer) => output.push(chunk.toString()));
      const exited = once(child, "exit");
      await once(child.stderr, "data");

      child.kill("SIGINT");

      expect(await exited).toEqual([IN_TIME, null]);
      expect(output).toEqual([]);
      expect(await readdir(folder)).not.toContain("runtime.pid");
    } finally {
      await removeDataDir(folder);
    }
  });

  it("the local runtime says first of all that its port is taken, and what to do", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const folder = join(dataDir, "never-made");
    try {
      const started = startCommand(folder, "--port", String(port));

      await expect(started).rejects.toThrow(`error: port ${port} is taken; name another with --port`);
      expect(existsSync(folder)).toBe(false);
    } finally {
      server.close();
    }
  });

  it("the local runtime says which process has the data folder already", async () => {
    const { child, addresses, exitCode } = await startCommand(dataDir);
    try {
      await expect(startCommand(dataDir, "--fresh")).rejects.toThrow(new RegExp(`error: .*${child.pid}`));
      expect(await readdir(dataDir)).toContain("runtime.pid");
      expect((await post(addresses.url, event(randomUUID()))).status).toBe(202);
    } finally {
      child.kill("SIGINT");
    }
    expect(await exitCode).toBe(0);
  });

  it("stores events whatever the shell has set for other programs", async () => {
    const { child, addresses, exitCode, log } = await startCommandWith(
      { env: { ...process.env, ...SHELL_SETTINGS } },
      dataDir,
      "--fresh",
    );
    try {
      const id = randomUUID();
      expect((await post(addresses.url, event(id))).status).toBe(202);
      await eventually(
        () => get(`${addresses.url}/events/${id}`),
        ({ status }) => status === 200,
      );
    } finally {
      child.kill("SIGINT");
    }
    expect(await exitCode, log.join("\n")).toBe(0);
  });

  it("listens on both loopback addresses, and with --host elsewhere too, which it warns of", async () => {
    const { child, addresses, exitCode, log } = await startCommand(dataDir, "--host", "127.0.0.2");
    try {
      const { port } = new URL(addresses.url);
      const urls = ["127.0.0.1", "[::1]", "127.0.0.2", "localhost"].map((host) => `http://${host}:${port}/health`);
      expect(await Promise.all(urls.map(async (url) => (await fetch(url)).status))).toEqual([200, 200, 200, 200]);
      for (const local of [addresses.dataApiUrl, addresses.awsEndpointUrl]) {
        const url = new URL(local);
        await expect(fetch(`http://127.0.0.2:${url.port}/`)).rejects.toThrow("fetch failed");
        expect((await fetch(`http://[::1]:${url.port}/`)).status).toBeLessThan(500);
      }
      expect(log.join("\n")).toContain("warning: --host 127.0.0.2: the API is reached there without TLS");
    } finally {
      child.kill("SIGINT");
    }
    expect(await exitCode).toBe(0);
  });

  it("says why the database does not start, also while the app is being synthesized", async () => {
    const folder = join(dataDir, "broken");
    await mkdir(folder);
    await writeFile(join(folder, "postgres"), "a file where a folder belongs");

    const message = await startCommand(folder).then(
      () => "it started",
      (error: Error) => error.message,
    );

    expect(message).toMatch(/^error: /m);
    expect(message).not.toMatch(/AbortError|^ {4}at /m);
  });

  it("says first of all that --host names no address of this machine", async () => {
    const folder = join(dataDir, "never-made");

    const started = startCommand(folder, "--host", "203.0.113.5");

    await expect(started).rejects.toThrow("error: 203.0.113.5 is no address of this machine; give --host one");
    expect(existsSync(folder)).toBe(false);
  });
});

describe("a part that ends by itself", () => {
  it("a part that ends by itself is started again with its data, until it has ended too often: then the runtime ends and says why", async () => {
    const { child, addresses, exitCode, log } = await startCommand(dataDir);
    const said = (text: string) =>
      eventually(
        async () => log,
        (lines) => lines.some((line) => line.includes(text)),
      );
    const [first, second] = [randomUUID(), randomUUID()];
    const isStored = (id: string) =>
      eventually(
        () => get(`${addresses.url}/events/${id}`),
        ({ status }) => status === 200,
      );

    process.kill(partOf(child, SERVER), "SIGKILL");
    await said("PostgreSQL runs again");
    await post(addresses.url, event(first));
    await isStored(first);

    process.kill(partOf(child, QUEUE), "SIGKILL");
    await said("The queue (SQS) runs again");
    await eventually(
      () => post(addresses.url, event(second)),
      ({ status }) => status === 202,
    );
    await isStored(second);

    process.kill(partOf(child, TABLES), "SIGKILL");
    await said("The tables (DynamoDB) runs again");

    for (const restarts of [2, 3, 4]) {
      log.length = 0;
      process.kill(partOf(child, SERVER), "SIGKILL");
      if (restarts < 4) await said("PostgreSQL runs again");
    }
    expect(await exitCode).toBe(1);
    expect(log.join("\n")).toContain("error: PostgreSQL ended unexpectedly, after 3 restarts in a minute");
  });
});

describe("a runtime", () => {
  it("a runtime refuses a template with a type it does not know, by its name, and leaves nothing running", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-start-"));
    const assemblyDir = join(folder, "cdk.out");
    await cp(inject("assemblyDir"), assemblyDir, { recursive: true });
    await cp(`${inject("assemblyDir")}.key`, `${assemblyDir}.key`);
    // Synthesizes again if a source has changed since: only an assembly that is up to date is used as it is.
    await synthesize({ projectDir: ".", outDir: assemblyDir });
    const name = (await readdir(assemblyDir)).find((each) => each.endsWith(".template.json")) ?? "";
    const template = JSON.parse(await readFile(join(assemblyDir, name), "utf8")) as { Resources: object };
    Object.assign(template.Resources, { Odd: { Type: "AWS::Odd::Thing" } });
    await writeFile(join(assemblyDir, name), JSON.stringify(template));
    try {
      const started = startRuntime({ dataDir: join(folder, "data"), assemblyDir, port: 0 });

      await expect(started).rejects.toThrow("AWS::Odd::Thing (Odd)");
      expect(await readdir(join(folder, "data"))).toEqual(["postgres", "runtime.lock"]);
      expect(existsSync(join(folder, "data", "postgres", "cluster", "postmaster.pid"))).toBe(false);
    } finally {
      await removeDataDir(join(folder, "data"));
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** A request that the Data API never answers; `ended` says what became of it. */
async function holdRequest({ url, dataApiUrl }: Addresses): Promise<{ ended: Promise<string> }> {
  const faults = `${dataApiUrl}/_faults`;
  await fetch(faults, { method: "PUT", body: JSON.stringify([{ kind: "hang", calls: 1 }]) });
  const ended = call(`${url}/events/${randomUUID()}`).then(
    ({ status }) => String(status),
    () => "cut off",
  );
  await eventually(
    async () => (await (await fetch(faults)).json()) as unknown[],
    (left) => left.length === 0,
  );
  return { ended };
}

async function inFlight({ queueUrl, awsEndpointUrl }: Addresses): Promise<number> {
  const client = sqsClient(awsEndpointUrl);
  const { hidden } = await queueCounts(client, queueUrl);
  client.destroy();
  return hidden;
}

const SERVER = "cluster_name=sluice";
const QUEUE = "sqs/child.ts";
const TABLES = "dynamodb/child.ts";

/** The process id of a part of the runtime, by its command line. */
function partOf({ pid = 0 }: ChildProcess, part: string): number {
  const found = childrenOf(pid).find((each) => describeProcess(each)?.command.includes(part));
  if (found === undefined) throw new Error(`No ${part} runs.`);
  return found;
}
