import { join } from "node:path";
import { startDataApi } from "../data-api/data-api.ts";
import { takeDataFolder } from "../data-folder.ts";
import { startPostgres } from "../postgres/postgres.ts";
import { type StopPart, stopInOrder } from "../stop-order.ts";
import { startMinistack } from "./ministack.ts";
import { type Session, writeSession } from "./session.ts";

/** What `up` asks of the process that stays: by its first argument, as JSON. */
export type ServeOptions = {
  dataDir: string;
  emulator: Session["emulator"];
  startedBy: Session["startedBy"];
  /** Of an emulator that runs already. */
  endpoint?: string;
  /** MiniStack to start, and its port; 0 is any free one. */
  ministack?: { program: string; port: number };
  /** The address the Data API listens on. */
  listenOn: string;
  /** The host by which the functions reach it. @default the same */
  hostOfFunctions?: string;
};

/** The names of the database: none of AWS has them, and the Data API takes no others. */
const NAMES = {
  clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:sluice-local",
  secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:sluice-local",
  databaseName: "sluice",
};

const { dataDir, emulator, startedBy, endpoint, ministack, listenOn, hostOfFunctions } = JSON.parse(
  process.argv[2] ?? "",
) as ServeOptions;
const log = (line: string) => process.stdout.write(`${line}\n`);
const parts: StopPart[] = [];
let ending = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(0));

try {
  parts.push(await takeDataFolder(dataDir, true));
  const postgres = await startPostgres({
    dataDir: join(dataDir, "postgres"),
    databaseName: NAMES.databaseName,
    onCrash: () => fail(new Error("PostgreSQL ended.")),
    log,
  });
  parts.push(() => postgres.stop());
  const dataApi = await startDataApi({ databaseUrl: postgres.url, ...NAMES, host: listenOn, log });
  parts.push(() => dataApi.stop());
  const own = ministack && (await startMinistack({ ...ministack, folder: join(dataDir, "ministack"), onEnd: fail }));
  if (own !== undefined) parts.push(() => own.stop());
  const functionsUrl = new URL(dataApi.url);
  if (hostOfFunctions !== undefined) functionsUrl.hostname = hostOfFunctions;
  await writeSession(dataDir, {
    pid: process.pid,
    emulator,
    startedBy,
    endpoint: own?.endpoint ?? endpoint ?? "",
    databaseUrl: postgres.url,
    dataApiUrl: dataApi.url,
    database: { ...NAMES, endpoint: functionsUrl.href.replace(/\/$/, "") },
  });
} catch (error) {
  fail(error instanceof Error ? error : new Error(String(error)));
}

function fail(reason: Error): void {
  log(`error: ${reason.message}`);
  void end(1);
}

async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  await stopInOrder(parts, log);
  process.exit(code);
}
