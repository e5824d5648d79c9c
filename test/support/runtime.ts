import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { inject, type ProvidedContext } from "vitest";
import type { Addresses } from "../../localstack/addresses.ts";
import type { Datapoint } from "../../localstack/lambda/datapoints.ts";
import { type Runtime, startRuntime } from "../../localstack/runtime.ts";
import type { RuntimeOptions } from "../../localstack/runtime-options.ts";
import { useKey } from "./http.ts";
import { copyCluster, removeDataDir } from "./cluster.ts";
import { refuseSecretsIn, secretTexts } from "./secret-texts.ts";

export type TestRuntime = Runtime & {
  dataDir: string;
  /** Log lines so far. */
  lines: string[];
  /** Lines that have metrics for CloudWatch so far. */
  metrics: string[];
  /** Their datapoints. */
  datapoints: Datapoint[];
  query: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Stops it and deletes what it kept. */
  remove: () => Promise<void>;
};

/**
 * A runtime on free ports and in a folder of its own, which is deleted with it.
 * @param prepared what prepare-runtime.ts made; given only where there is no test to inject it into
 * @param options hooks of the runtime: the most processes of a function at once, where that is not the machine's number, and a proxy
 *   before the Data API; and a receiver of spans
 */
export async function startTestRuntime(
  prepared: Pick<ProvidedContext, "assemblyDir" | "preparedCluster"> = {
    assemblyDir: inject("assemblyDir"),
    preparedCluster: inject("preparedCluster"),
  },
  {
    maxProcesses,
    dataApiFront,
    otlpEndpoint,
  }: Pick<NonNullable<RuntimeOptions["testHooks"]>, "maxProcesses" | "dataApiFront"> &
    Pick<RuntimeOptions, "otlpEndpoint"> = {},
): Promise<TestRuntime> {
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
  await copyCluster(prepared.preparedCluster, join(dataDir, "postgres"));
  const lines: string[] = [];
  const metrics: string[] = [];
  const datapoints: Datapoint[] = [];
  const runtime = await startRuntime({
    dataDir,
    assemblyDir: prepared.assemblyDir,
    port: 0,
    allowHttpSinks: true,
    otlpEndpoint,
    log: (line) => lines.push(line),
    testHooks: {
      metrics: (line, found) => {
        metrics.push(line);
        datapoints.push(...found);
      },
      ...(maxProcesses !== undefined && { maxProcesses }),
      ...(dataApiFront !== undefined && { dataApiFront }),
    },
  });
  useKey(runtime.addresses.url, runtime.addresses.apiKey);
  // A rotation forgets the values from before it.
  const secretsAtStart = await secretTexts(dataDir);
  return {
    ...runtime,
    dataDir,
    lines,
    metrics,
    datapoints,
    query: (sql) => query(runtime.addresses.databaseUrl, sql),
    remove: async () => {
      await runtime.stop();
      const secrets = [...secretsAtStart, ...(await secretTexts(dataDir))];
      await removeDataDir(dataDir);
      refuseSecretsIn([...lines, ...metrics], secrets);
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
  return startCommandWith({ cwd: projectDir }, dataDir, ...options);
}

export async function startCommandWith(
  where: { cwd?: string; env?: NodeJS.ProcessEnv },
  dataDir: string,
  ...options: string[]
) {
  const words = ["localstack/start.ts", "--json", "--port", "0", "--data-dir", dataDir, ...options];
  const child = spawn(process.execPath, words, { ...where, stdio: ["ignore", "pipe", "pipe"] });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const first = (await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited])) as unknown[];
  if (typeof first[0] !== "string") throw new Error(`It ended before it was ready:\n${log.join("\n")}`);
  const addresses = JSON.parse(first[0]) as Addresses;
  useKey(addresses.url, addresses.apiKey);
  return { child, log, addresses, exitCode: exited.then(([code]) => code) };
}
