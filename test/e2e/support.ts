import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { inject } from "vitest";
import { type Addresses, type Runtime, startRuntime } from "../../localstack/runtime.ts";
import { removeDataDir } from "../contract/support/cluster.ts";

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

/** Asks until the answer is as wanted; fails with the last answer when the time is over. */
export async function eventually<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  withinMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as T);
    if (!(answer instanceof Error) && wanted(answer)) return answer;
    if (Date.now() > deadline) {
      throw new Error(
        `Not within ${withinMs} ms. Last answer: ${answer instanceof Error ? answer.message : JSON.stringify(answer)?.slice(0, 500)}`,
      );
    }
    await delay(50);
  }
}

/** What the tests read of an answer: verdicts, a problem document or an event. */
type Answer = { results?: { status: string }[]; data?: unknown; source?: string; id?: string };

export async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/events`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}

export async function get(url: string) {
  const response = await fetch(url);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Answer };
}

/** Runs a command of scripts/ as a user does. */
export function runScript(name: string, args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [`scripts/${name}.ts`, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
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
