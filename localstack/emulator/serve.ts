import { join } from "node:path";
import { startDataApi } from "../data-api/data-api.ts";
import { secretOfUrl } from "../data-api/secrets.ts";
import { takeDataFolder } from "../data-folder.ts";
import { startSupervisedDynamodb } from "../dynamodb/dynamodb.ts";
import { startPostgres } from "../postgres/postgres.ts";
import { type StopPart, stopInOrder } from "../stop-in-order.ts";
import { STOP_DATABASE_LATE_MS, STOP_DATABASE_MS } from "../stop-times.ts";
import { emulatorPort, startEmulatorProcess } from "./emulator-process.ts";
import { localstack } from "./localstack.ts";
import { ministack } from "./ministack.ts";
import { readSecret } from "./read-secret.ts";
import { type Session, writeSession } from "./session.ts";

/** The options of the process that `up` leaves running: its first argument, as JSON. */
export type ServeOptions = {
  dataDir: string;
  emulator: Session["emulator"];
  startedBy: Session["startedBy"];
  composeProject?: string;
  /** The address of an emulator that runs already. */
  endpoint?: string;
  /** The program of an emulator to start, and its port; 0 is any free one. */
  start?: { program: string; port: number };
  /** The address where functions in containers reach the Data API. @default only this machine reaches it */
  listenOn?: string;
  /** The host by which the functions call it. @default 127.0.0.1 */
  hostOfFunctions?: string;
};

/** The names of the database. No resource of AWS has them. The secret is the owner's. */
const NAMES = {
  clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:sluice-local",
  secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:sluice-local",
  databaseName: "sluice",
};

const options = JSON.parse(process.argv[2] ?? "") as ServeOptions;
const { dataDir, emulator, startedBy, composeProject, endpoint, start, listenOn, hostOfFunctions } = options;
const log = (line: string) => process.stdout.write(`${line}\n`);
const parts: StopPart[] = [];
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(0));

try {
  await add(await takeDataFolder(dataDir, true));
  const postgres = await startPostgres({
    dataDir: join(dataDir, "postgres"),
    databaseName: NAMES.databaseName,
    onCrash: () => fail(new Error("PostgreSQL ended.")),
    signal: ending.signal,
    log,
  });
  await add((giveUp) => postgres.stop("fast", giveUp.aborted ? STOP_DATABASE_LATE_MS : STOP_DATABASE_MS));
  const ownerSecret = secretOfUrl(NAMES.secretArn, postgres.url);
  // Where the emulator is, once it runs: it has the secrets of the stack that is deployed into it.
  let emulatorUrl = endpoint;
  const dataApi = await startDataApi({
    databaseUrl: postgres.url,
    ...NAMES,
    readSecret: async (arn) =>
      (await ownerSecret(arn)) ?? (emulatorUrl === undefined ? undefined : readSecret(emulatorUrl, arn)),
    host: listenOn,
    nameElsewhere: hostOfFunctions,
    log,
  });
  await add(() => dataApi.stop());
  const own = start && (await startEmulator(start));
  emulatorUrl = own?.endpoint ?? endpoint;
  const functionsUrl = new URL(dataApi.url);
  if (hostOfFunctions !== undefined) functionsUrl.hostname = hostOfFunctions;
  await writeSession(dataDir, {
    pid: process.pid,
    emulator,
    startedBy,
    ...(composeProject !== undefined && { composeProject }),
    endpoint: emulatorUrl ?? "",
    databaseUrl: postgres.url,
    databaseDir: postgres.dataDir,
    dataApiUrl: dataApi.url,
    database: { ...NAMES, endpoint: functionsUrl.href.replace(/\/$/, "") },
  });
} catch (error) {
  fail(error instanceof Error ? error : new Error(String(error)));
}

async function startEmulator({ program, ...options }: { program: string; port: number }) {
  const folder = join(dataDir, emulator);
  const port = await emulatorPort(options.port);
  const command =
    emulator === "localstack"
      ? await localstack(program, port, folder, await startTables(folder))
      : await ministack(program, port, folder);
  const own = await startEmulatorProcess(command, { port, onEnd: fail });
  await add(() => own.stop());
  return own;
}

/** Starts the server that keeps LocalStack's tables, and gives its port. */
async function startTables(folder: string): Promise<number> {
  const dynamodb = await startSupervisedDynamodb({ dataDir: join(folder, "dynamodb"), giveUp: fail, log });
  await add((giveUp) => dynamodb.stop(giveUp));
  return Number(new URL(dynamodb.endpoint).port);
}

/** Registers a part's stop; a part that has started while all are being stopped is stopped at once. */
async function add(stop: StopPart): Promise<void> {
  if (!ending.signal.aborted) return void parts.push(stop);
  await stop(ending.signal);
  ending.signal.throwIfAborted();
}

function fail(reason: Error): void {
  if (ending.signal.aborted) return;
  log(`error: ${reason.message}`);
  void end(1);
}

async function end(code: number): Promise<void> {
  if (ending.signal.aborted) return;
  ending.abort();
  await stopInOrder(parts, log);
  process.exit(code);
}
