import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Choice } from "./choose.ts";
import { destroy } from "./deploy.ts";
import { addressForContainers, composeDown, composeUp, HOST_FROM_CONTAINERS, LOCALSTACK_ENDPOINT } from "./docker.ts";
import { identify } from "./health.ts";
import type { ServeOptions } from "./serve.ts";
import { findSession, type Session } from "./session.ts";

const LOOPBACK = "127.0.0.1";
const POLL_MS = 100;
const STOP_WITHIN_MS = 10_000;

/** Of the process that stays, beside the data folder: it begins before the folder is taken. */
export const logFile = (dataDir: string): string => `${resolve(dataDir)}.log`;

/**
 * Starts the database, and the emulator where it does not run yet, in a process that stays.
 * @param port MiniStack's; 0 is any free one
 * @throws Error that says what is up already, or the end of what that process said
 */
export async function up(choice: Choice, dataDir: string, port: number): Promise<Session> {
  const before = await findSession(dataDir);
  if (before !== undefined) {
    throw new Error(
      `${before.emulator} is up already, at ${before.endpoint}. End it with \`npm run localstack -- down\`.`,
    );
  }
  const serving = { dataDir: resolve(dataDir), listenOn: LOOPBACK };
  switch (choice.by) {
    case "user":
      return serve({ ...serving, ...(await reached(choice.endpoint)), startedBy: "user", endpoint: choice.endpoint });
    case "serve":
      return serve({ ...serving, startedBy: "serve", emulator: "ministack", ministack: { ...choice, port } });
    case "docker":
      composeUp();
      return serve({
        ...serving,
        ...fromContainers(),
        startedBy: "docker",
        emulator: "localstack",
        endpoint: LOCALSTACK_ENDPOINT,
      });
  }
}

/** Ends what `up` started. An emulator that ran before loses our stack and runs on. */
export async function down(session: Session, dataDir: string): Promise<void> {
  if (session.startedBy === "user") await destroy(session, dataDir);
  process.kill(session.pid, "SIGTERM");
  for (const deadline = Date.now() + STOP_WITHIN_MS; (await findSession(dataDir)) !== undefined; await delay(POLL_MS)) {
    if (Date.now() > deadline) throw new Error(`Process ${session.pid} does not end. See ${logFile(dataDir)}.`);
  }
  if (session.startedBy === "docker") composeDown();
  // The emulator forgets its queues and its stack; rows of events without them would only mislead.
  await rm(resolve(dataDir), { recursive: true, force: true });
}

/** How the functions of an emulator that runs already reach this machine: LocalStack's are containers. */
async function reached(endpoint: string) {
  const emulator = await identify(endpoint);
  return { emulator, ...(emulator === "localstack" && fromContainers()) };
}

const fromContainers = () => ({ listenOn: addressForContainers(), hostOfFunctions: HOST_FROM_CONTAINERS });

async function serve(options: ServeOptions): Promise<Session> {
  const log = openSync(logFile(options.dataDir), "w", 0o600);
  const child = spawn(process.execPath, [join(import.meta.dirname, "serve.ts"), JSON.stringify(options)], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  let ended = false;
  void once(child, "exit").then(() => (ended = true));
  child.unref();
  for (;;) {
    const session = await findSession(options.dataDir);
    if (session !== undefined) return session;
    if (ended) throw new Error(`It did not start.\n${lastLines(await readFile(logFile(options.dataDir), "utf8"))}`);
    await delay(POLL_MS);
  }
}

const lastLines = (text: string): string => text.trim().split("\n").slice(-10).join("\n");
