import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type LoadOptions = {
  url: string;
  /** The key that each request carries. */
  apiKey: string;
  /** Number of keep-alive connections, each with one request at a time. */
  connections: number;
  perRequest: number;
  /** Bytes of one event's JSON. */
  eventBytes: number;
  /** The events' source, different in each run. */
  source: string;
  /** Number of requests or duration; one of the two. */
  requests?: number;
  seconds?: number;
  /** Open model at this rate. @default as fast as possible */
  requestsPerSecond?: number;
};

export type LoadReport = {
  requests: number;
  /** Number of answers by status. */
  answers: Record<string, number>;
  /** Number of requests without an answer, by error code. */
  errors: Record<string, number>;
  /** Times before the first request and after the last answer, ms since the epoch. */
  startedAt: number;
  finishedAt: number;
  /** In the order of the answers; at a constant rate each counts from the request's due time. */
  latenciesMs: number[];
  /** Time of each request's 202, ms since the epoch; null for another answer or none. */
  acceptedAt: (number | null)[];
  /** Bytes of the heads and bodies of all answers. */
  responseBytes: number;
};

/** Runs the load generator in its own process. @throws Error if it fails */
export async function runLoad({ apiKey, ...options }: LoadOptions): Promise<LoadReport> {
  const flags = Object.entries(options).flatMap(([name, value]) => [
    `--${name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`,
    String(value),
  ]);
  const child = spawn(process.execPath, [GENERATOR, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
    // An option would show the key in the list of processes.
    env: { ...process.env, SLUICE_API_KEY: apiKey },
  });
  const [chunks, [code]] = await Promise.all([child.stdout.toArray() as Promise<Buffer[]>, once(child, "exit")]);
  if (code !== 0) throw new Error(`The load generator ended with ${String(code)}.`);
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as LoadReport;
}

/** Expects that every request was answered 202. @throws Error with the other answers and errors */
export function allAccepted({ requests, answers, errors }: LoadReport): void {
  if (answers["202"] === requests && requests > 0) return;
  throw new Error(`Of ${requests} requests not all were answered 202: ${JSON.stringify({ answers, errors })}`);
}

const GENERATOR = fileURLToPath(new URL("./load.ts", import.meta.url));
