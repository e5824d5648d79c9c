import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type LoadOptions = {
  url: string;
  /** Requests under way at once, each on a connection that is kept. */
  connections: number;
  perRequest: number;
  /** JSON bytes of one event as it is sent. */
  eventBytes: number;
  /** The events' source; unlike that of other runs. */
  source: string;
  /** How many requests, or for how long; one of the two. */
  requests?: number;
  seconds?: number;
  /** Open model at this rate; left out = as fast as it goes. */
  requestsPerSecond?: number;
};

export type LoadReport = {
  requests: number;
  /** How many answers of each status. */
  answers: Record<string, number>;
  /** Requests without an answer, by the error's code. */
  errors: Record<string, number>;
  /** From before the first request to after the last answer, ms since the epoch. */
  startedAt: number;
  finishedAt: number;
  /** In the order of the answers; at a constant rate from when the request was due. */
  latenciesMs: number[];
  /** When the 202 of each request came, ms since the epoch; null where another answer or none came. */
  acceptedAt: (number | null)[];
  /** Heads and bodies of all answers. */
  responseBytes: number;
};

/** Runs the load generator to its end, in a process of its own. @throws Error with what it said when it failed */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const flags = Object.entries(options).flatMap(([name, value]) => [
    `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
  const child = spawn(process.execPath, [GENERATOR, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunks, [code]] = await Promise.all([child.stdout.toArray() as Promise<Buffer[]>, once(child, "exit")]);
  if (code !== 0) throw new Error(`The load generator ended with ${String(code)}.`);
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as LoadReport;
}

/** @throws Error that says what came instead, unless every request was answered 202 */
export function allAccepted({ requests, answers, errors }: LoadReport): void {
  if (answers["202"] === requests && requests > 0) return;
  throw new Error(`Of ${requests} requests not all were answered 202: ${JSON.stringify({ answers, errors })}`);
}

const GENERATOR = fileURLToPath(new URL("./load.ts", import.meta.url));
