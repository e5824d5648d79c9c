import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ownerOf } from "../data-folder.ts";

/** The emulators that have a health address of their own. */
const EMULATORS = ["localstack", "ministack", "other"] as const;

const schema = z.object({
  /** The process that runs the database, and an emulator that is no container if `up` started it. */
  pid: z.int().positive(),
  /** The project of docker compose, if that started the emulator. */
  composeProject: z.string().optional(),
  emulator: z.enum(EMULATORS),
  /** `user` means an emulator that ran already. */
  startedBy: z.enum(["docker", "serve", "user"]),
  /** The emulator's address on this machine, for `AWS_ENDPOINT_URL`. */
  endpoint: z.url(),
  databaseUrl: z.string(),
  /** The real folder of PostgreSQL's files; as root it may be outside the data folder. */
  databaseDir: z.string(),
  /** The Data API's address for this machine; `database.endpoint` is its address for the functions. */
  dataApiUrl: z.url(),
  /** The context value `database` of the CDK app. */
  database: z.object({
    clusterArn: z.string(),
    secretArn: z.string(),
    databaseName: z.string(),
    endpoint: z.url(),
  }),
});

/** The parts that `up` started, for later commands. */
export type Session = z.infer<typeof schema>;

const sessionFile = (dataDir: string): string => join(dataDir, "session.json");

/** @throws Error that says how to start one */
export async function readSession(dataDir: string): Promise<Session> {
  const session = await findSession(dataDir);
  if (session !== undefined) return session;
  throw new Error(`Nothing is up in ${dataDir}. Start it with \`npm run localstack -- up\`.`);
}

/** The session in a data folder, if its process still runs. */
export async function findSession(dataDir: string): Promise<Session | undefined> {
  const session = await lastSession(dataDir);
  return session !== undefined && (await ownerOf(dataDir))?.pid === session.pid ? session : undefined;
}

/** The session in a data folder, even if its process has died. */
export async function lastSession(dataDir: string): Promise<Session | undefined> {
  const text = await readFile(sessionFile(dataDir), "utf8").catch(() => undefined);
  return text === undefined ? undefined : schema.safeParse(JSON.parse(text)).data;
}

/** Writes the session in one step, so that nobody reads half of it. */
export async function writeSession(dataDir: string, session: Session): Promise<void> {
  const file = sessionFile(dataDir);
  // The database's password is in its URL.
  await writeFile(`${file}.new`, `${JSON.stringify(session, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
