import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { lstat, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startPostgres, type Postgres } from "../../localstack/postgres/postgres.ts";
import { childrenOf, describeProcess } from "../../localstack/postgres/process-table.ts";
import type { TemporaryFolder } from "../support/temporary-folder.ts";
import { makeDataDir, startCluster, type TestCluster } from "../support/cluster.ts";

const isRoot = process.getuid?.() === 0;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describe("a running cluster", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster({ prepared: false });
  });
  afterAll(() => cluster.remove());

  it("a running cluster is durable, in UTC and UTF-8, on loopback only, and its owner is no superuser", async () => {
    const { postgres } = cluster;

    const settings = await query(
      postgres,
      `select name, setting from pg_settings where name in
       ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'TimeZone', 'server_encoding')`,
    );
    const [role] = await query(postgres, "select rolsuper from pg_roles where rolname = current_user");

    expect(Object.fromEntries(settings.map((row) => [row["name"], row["setting"]]))).toEqual({
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
      listen_addresses: "127.0.0.1",
      TimeZone: "UTC",
      server_encoding: "UTF8",
    });
    expect(role).toEqual({ rolsuper: false });
  });

  it("a running cluster refuses connections without its password", async () => {
    const url = new URL(cluster.postgres.url);
    url.password = "wrong";

    await expect(query({ url: url.href }, "select 1")).rejects.toThrow(/password authentication failed/);
  });

  it("a running cluster refuses a second start and names the process that holds it", async () => {
    const { postgres, dataDir } = cluster;

    const second = startPostgres({ dataDir, databaseName: "events" });

    await expect(second).rejects.toThrow(new RegExp(`as process ${postgres.pid}, started by process ${process.pid}`));
    expect(await query(postgres, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("a running cluster answers nothing while it is paused, and goes on afterwards", async () => {
    const { postgres } = cluster;
    const client = new Client(postgres.url);
    await client.connect();

    postgres.pause();
    const processes = [postgres.pid ?? 0, ...childrenOf(postgres.pid ?? 0)];
    await vi.waitFor(() => expect(new Set(processes.map(stateOf))).toEqual(new Set(["T"])), { timeout: 60_000 });
    const answer = client.query("select 1");
    const winner = await Promise.race([answer.then(() => "answer"), after(1_000)]);
    postgres.resume();

    expect(winner).toBe("silence");
    expect(processes.length).toBeGreaterThan(1);
    expect((await answer).rowCount).toBe(1);
    await client.end();
  });
});

describe("a cluster that was stopped", () => {
  const folder = sharedFolder();

  it("a cluster that was stopped keeps its data and port over a clean stop, a crash and a second runtime", async () => {
    const { postgres, dataDir } = await start(folder.path());
    const { port } = postgres;
    await query(postgres, "create table kept (n int)");

    await query(postgres, "insert into kept values (1)");
    await postgres.stop();
    expect(postgres.pid).toBeUndefined();
    await postgres.start();
    await query(postgres, "insert into kept values (2)");
    await postgres.stop("immediate");
    await postgres.start();
    expect(postgres.port).toBe(port);
    await postgres.stop();
    const { postgres: second } = await start(dataDir);

    expect(await query(second, "select n from kept order by n")).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it("a cluster that was stopped starts although its lock file names another program that is running", async () => {
    const { postgres, dataDir } = await start(folder.path());
    await postgres.stop("immediate");
    const lock = join(postgres.dataDir, "cluster", "postmaster.pid");
    const { uid, gid } = await stat(join(postgres.dataDir, "cluster"));
    const other = spawn("sleep", ["60"], isRoot ? { uid, gid } : {});
    cleanups.push(async () => other.kill());
    const stale = existsSync(lock) ? await readFile(lock, "utf8") : "1\n";

    await writeFile(lock, [String(other.pid), ...stale.split("\n").slice(1)].join("\n"));
    const { postgres: second } = await start(dataDir);

    expect(await query(second, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("a cluster that was stopped does not start on a port that is taken, which the error names", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(async () => server.close());
    const { port } = server.address() as AddressInfo;

    const started = startPostgres({ dataDir: folder.path(), databaseName: "events", port });

    await expect(started).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`);
  });
});

describe("a start of PostgreSQL that is stopped", () => {
  it("a start of PostgreSQL that is stopped while it creates the cluster leaves no process behind", async () => {
    const folder = await makeDataDir();
    const stopping = new AbortController();
    const started = startPostgres({ dataDir: folder.path, databaseName: "events", signal: stopping.signal });
    const unfinished = join(folder.path, "cluster.new", "base");
    await vi.waitFor(() => expect(existsSync(unfinished)).toBe(true), { timeout: 60_000 });

    stopping.abort();
    await expect(started).rejects.toThrow("aborted");

    const children = childrenOf(process.pid).map((pid) => describeProcess(pid)?.command ?? "");
    expect(children.filter((command) => command.includes("initdb"))).toEqual([]);
    await folder.remove();
  });
});

describe("the process that runs PostgreSQL", () => {
  const folder = sharedFolder();

  it("the process that runs PostgreSQL finishes its work after Ctrl-C, which reaches the whole group", async () => {
    const runner = await startRunner(folder.path());

    process.kill(-runner.pid, "SIGINT");
    const [code] = await once(runner.child, "exit");
    const { postgres } = await start(folder.path());

    expect(code).toBe(0);
    expect(await query(postgres, "select count(*)::int as n from finished")).toEqual([{ n: 1 }]);
  });

  it("the process that runs PostgreSQL ends PostgreSQL when it is killed", async () => {
    const runner = await startRunner(folder.path());

    process.kill(runner.pid, "SIGKILL");

    await vi.waitFor(() => expect(describeProcess(runner.postgresPid)).toBeUndefined(), { timeout: 60_000 });
  });

  it("the process that runs PostgreSQL may leave PostgreSQL behind: the next one stops it and has its data", async () => {
    const runner = await startRunner(folder.path());
    await query(runner, "create table kept as select 1 as n");

    for (const watchdog of childrenOf(runner.pid).filter((pid) => pid !== runner.postgresPid)) {
      process.kill(watchdog, "SIGKILL");
    }
    process.kill(runner.pid, "SIGKILL");
    await once(runner.child, "exit");
    expect(describeProcess(runner.postgresPid)).toBeDefined();
    const { postgres } = await start(folder.path());

    expect(describeProcess(runner.postgresPid)).toBeUndefined();
    expect(await query(postgres, "select n from kept")).toEqual([{ n: 1 }]);
  });
});

describe.runIf(isRoot)("below a folder that only root can enter", () => {
  const folder = sharedFolder();

  it("root keeps the cluster elsewhere behind a link, and creates a new one once the link is deleted", async () => {
    const { postgres, dataDir } = await start(folder.path());
    await query(postgres, "create table kept ()");
    await postgres.stop();
    expect(await readlink(dataDir)).toBe(postgres.dataDir);

    const { postgres: again } = await start(dataDir);
    const kept = await query(again, "select to_regclass('kept') is not null as found");
    await again.stop();
    await rm(dataDir);
    const { postgres: recreated } = await start(dataDir);
    const remaining = await query(recreated, "select to_regclass('kept') is not null as found");

    expect((await lstat(dataDir)).isSymbolicLink()).toBe(true);
    expect(kept).toEqual([{ found: true }]);
    expect(remaining).toEqual([{ found: false }]);
    expect(recreated.dataDir).toBe(postgres.dataDir);
  });
});

/** One data directory for the tests of a block; each test finds the stopped cluster of the one before. */
function sharedFolder(): { path(): string } {
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await makeDataDir();
  });
  afterAll(() => folder.remove());
  return { path: () => folder.path };
}

async function start(dataDir: string): Promise<{ postgres: Postgres; dataDir: string }> {
  const postgres = await startPostgres({ dataDir, databaseName: "events" });
  cleanups.push(() => postgres.stop("immediate"));
  return { postgres, dataDir };
}

type Runner = { child: ChildProcess; pid: number; postgresPid: number; url: string };

async function startRunner(dataDir: string): Promise<Runner> {
  const script = join("test", "support", "postgres-runner.ts");
  const child = spawn(process.execPath, [script, dataDir], { detached: true, stdio: ["pipe", "pipe", "inherit"] });
  cleanups.push(async () => child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { pid, url } = JSON.parse(line.toString()) as { pid: number; url: string };
  return { child, pid: child.pid ?? 0, postgresPid: pid, url };
}

async function query({ url }: { url: string }, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** `T` for a stopped process. */
function stateOf(pid: number): string | undefined {
  if (process.platform === "linux") return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
  return execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })[0];
}

const after = (milliseconds: number) => new Promise((resolve) => setTimeout(() => resolve("silence"), milliseconds));
