import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { lookup } from "node:dns/promises";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { commandEnvironment } from "../child-environment.ts";
import type { Choice } from "./choose-emulator.ts";
import { COMPOSE_FILE, ownerOf, takeDataFolder } from "../data-folder.ts";
import { deleteStacks } from "./deploy.ts";
import { addressForContainers, composeDown, composeUp, HOST_FROM_CONTAINERS } from "./docker.ts";
import { identify } from "./health.ts";
import { LOOPBACKS } from "../ports.ts";
import { emulatorPort } from "./emulator-process.ts";
import type { ServeOptions } from "./serve.ts";
import { findSession, lastSession, type Session } from "./session.ts";
import { refuseStack } from "./stacks.ts";

const LOOPBACK = "127.0.0.1";
/** The stack that `deploy` creates when no stage is named. */
const STACK = "Sluice-dev";
const POLL_MS = 100;
const STOP_WITHIN_MS = 10_000;

/** The log of the serving process. It is beside the data folder, because it begins before the folder is locked. */
export const logFile = (dataDir: string): string => `${resolve(dataDir)}.log`;

export type UpOptions = {
  dataDir: string;
  /** The port of an emulator that `up` starts; 0 is any free one. */
  port: number;
  /** The host by which the functions of a running emulator reach this machine. @default depends on the emulator */
  functionsHost?: string;
};

/**
 * Starts the database, and the emulator if it does not run yet, in a process that stays.
 * @throws Error that names what runs already, or has the last lines of that process; nothing is left running then
 */
export async function up(choice: Choice, { dataDir, port, functionsHost }: UpOptions): Promise<Session> {
  const before = await findSession(dataDir);
  if (before !== undefined) {
    throw new Error(
      `${before.emulator} is up already, at ${before.endpoint}. End it with \`npm run localstack -- down\`.`,
    );
  }
  const left = await lastSession(dataDir);
  if (left?.startedBy === "user" || (await composeProjectOf(dataDir)) !== undefined) {
    throw new Error("A session that died has left something running. End it with `npm run localstack -- down`.");
  }
  const serving = { dataDir: resolve(dataDir) };
  switch (choice.by) {
    case "user": {
      const endpoint = await numbered(choice.endpoint);
      const emulator = await identify(endpoint);
      await refuseStack(endpoint, STACK);
      const fromOutside = emulator === "localstack" || functionsHost !== undefined;
      const reached = fromOutside ? fromContainers(functionsHost) : {};
      return serve({ ...serving, ...reached, emulator, startedBy: "user", endpoint });
    }
    case "serve": {
      const { emulator, program } = choice;
      return serve({ ...serving, startedBy: "serve", emulator, start: { program, port } });
    }
    case "docker": {
      const taken = await emulatorPort(port);
      const composeProject = `sluice-localstack-${taken}`;
      // For a `down` after this process was killed.
      await mkdir(resolve(dataDir), { recursive: true });
      await writeFile(composeFile(dataDir), composeProject);
      try {
        composeUp(composeProject, taken);
        const endpoint = `http://${LOOPBACK}:${taken}`;
        const reached = fromContainers(functionsHost);
        return await serve({
          ...serving,
          ...reached,
          startedBy: "docker",
          emulator: "localstack",
          composeProject,
          endpoint,
        });
      } catch (error) {
        composeDown(composeProject);
        await rm(composeFile(dataDir), { force: true });
        throw error;
      }
    }
  }
}

/**
 * Ends what `up` started, even if a part of it has died already. An emulator that ran before goes on without our stack.
 * @throws Error that names the part that did not end
 */
export async function down(dataDir: string): Promise<void> {
  const session = await lastSession(dataDir);
  const composeProject = await composeProjectOf(dataDir);
  if (session === undefined && composeProject === undefined) throw new Error(`Nothing is up in ${dataDir}.`);
  const faults: unknown[] = [];
  const attempt = async (step: () => unknown) => {
    try {
      await step();
    } catch (error) {
      faults.push(error);
    }
  };
  // An emulator that has ended has no stack any more.
  if (session?.startedBy === "user" && (await isRunning(session.endpoint)))
    await attempt(() => deleteStacks(session, dataDir));
  if (composeProject !== undefined) await attempt(() => composeDown(composeProject));
  if (session !== undefined) await attempt(() => endServing(session, dataDir));
  if (faults.length > 0) throw faults[0];
  // The emulator keeps neither queues nor stack; rows of events without them would only mislead.
  const release = await takeDataFolder(resolve(dataDir), true);
  if (session !== undefined) await rm(session.databaseDir, { recursive: true, force: true });
  await release();
  await rm(resolve(dataDir), { recursive: true, force: true });
  await rm(logFile(dataDir), { force: true });
}

const composeFile = (dataDir: string): string => join(resolve(dataDir), COMPOSE_FILE);

/** The project that docker compose started for a data folder, even if that did not finish. */
async function composeProjectOf(dataDir: string): Promise<string | undefined> {
  const begun = await readFile(composeFile(dataDir), "utf8").catch(() => undefined);
  return begun ?? (await lastSession(dataDir))?.composeProject;
}

const isRunning = (endpoint: string): Promise<boolean> =>
  identify(endpoint).then(
    () => true,
    () => false,
  );

async function endServing({ pid }: Session, dataDir: string): Promise<void> {
  const owner = await ownerOf(dataDir);
  if (owner?.pid !== pid) return;
  if (!owner.isHere)
    throw new Error(`Process ${pid}, which \`up\` left running, is of another container. Run \`down\` there.`);
  process.kill(pid, "SIGTERM");
  for (const deadline = Date.now() + STOP_WITHIN_MS; (await findSession(dataDir)) !== undefined; await delay(POLL_MS)) {
    if (Date.now() > deadline) throw new Error(`Process ${pid} does not end. See ${logFile(dataDir)}.`);
  }
}

/** Functions that are processes of this machine reach a loopback address; those in containers need another one. */
const fromContainers = (host = HOST_FROM_CONTAINERS) => ({
  ...(!LOOPBACKS.includes(host) && { listenOn: addressForContainers() }),
  hostOfFunctions: host,
});

/** An address without a host name. With a name, the SDK puts S3 buckets into it, and most machines do not resolve those. */
async function numbered(endpoint: string): Promise<string> {
  const url = new URL(endpoint);
  // A certificate is issued for a name.
  if (url.protocol !== "http:" || isIP(url.hostname) !== 0) return endpoint;
  url.hostname = (await lookup(url.hostname, { family: 4 })).address;
  return url.href.replace(/\/$/, "");
}

async function serve(options: ServeOptions): Promise<Session> {
  const file = logFile(options.dataDir);
  await mkdir(dirname(file), { recursive: true });
  const log = openSync(file, "w", 0o600);
  const child = spawn(process.execPath, [join(import.meta.dirname, "serve.ts"), JSON.stringify(options)], {
    detached: true,
    env: commandEnvironment(),
    stdio: ["ignore", log, log],
  });
  let ended = false;
  void once(child, "exit").then(() => (ended = true));
  child.unref();
  const interrupt = () => {
    child.kill();
    process.exit(130);
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  for (;;) {
    const session = await findSession(options.dataDir);
    if (session !== undefined) {
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      return session;
    }
    if (ended)
      throw new Error(`The emulator or its database did not start.\n${lastLines(await readFile(file, "utf8"))}`);
    await delay(POLL_MS);
  }
}

const lastLines = (text: string): string => text.trim().split("\n").slice(-10).join("\n");
