import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { inject } from "vitest";
import { type Addresses, type Runtime, startRuntime } from "../../localstack/runtime.ts";
import { clonePreparedCluster, removeDataDir } from "./cluster.ts";

export type TestRuntime = Runtime & {
  dataDir: string;
  /** Log lines so far. */
  lines: string[];
  query: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Stops it and deletes what it kept. */
  remove: () => Promise<void>;
};

/** A stack of its own for one test file, on free ports and in a folder that goes away with it. */
export async function startTestRuntime(): Promise<TestRuntime> {
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
  await clonePreparedCluster(join(dataDir, "postgres"));
  const lines: string[] = [];
  const runtime = await startRuntime({
    dataDir,
    assemblyDir: inject("assemblyDir"),
    port: 0,
    log: (line) => lines.push(line),
  });
  return {
    ...runtime,
    dataDir,
    lines,
    query: (sql) => query(runtime.addresses.databaseUrl, sql),
    remove: async () => {
      await runtime.stop();
      await removeDataDir(dataDir);
    },
  };
}

export async function query(databaseUrl: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(databaseUrl);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** `npm start -- --json` as a user runs it, in this checkout or in a copy of it. */
export async function startCommand(dataDir: string, ...options: string[]) {
  return startCommandIn(".", dataDir, ...options);
}

export async function startCommandIn(projectDir: string, dataDir: string, ...options: string[]) {
  const words = ["localstack/start.ts", "--json", "--port", "0", "--data-dir", dataDir, ...options];
  const child = spawn(process.execPath, words, { cwd: projectDir, stdio: ["ignore", "pipe", "pipe"] });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const first = (await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited])) as unknown[];
  if (typeof first[0] !== "string") throw new Error(`It ended before it was ready:\n${log.join("\n")}`);
  return { child, log, addresses: JSON.parse(first[0]) as Addresses, exitCode: exited.then(([code]) => code) };
}
