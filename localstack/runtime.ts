import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { startApiGateway } from "./api-gateway/start-api-gateway.ts";
import { startDataApi } from "./data-api/data-api.ts";
import type { Faults } from "./data-api/faults.ts";
import { takeDataFolder } from "./data-folder.ts";
import { startEventSource } from "./event-source/event-source.ts";
import type { Invoke } from "./lambda/invoke.ts";
import { runTriggers, startStackFunctions } from "./lambda/stack-functions.ts";
import { type Postgres, startPostgres } from "./postgres/postgres.ts";
import { reload } from "./reload.ts";
import { startSchedules } from "./schedule/schedule.ts";
import { startSqs } from "./sqs/sqs.ts";
import type { Assembly } from "./template/assembly.ts";
import type { StackModel } from "./template/model.ts";
import { LOCAL_ACCOUNT_ID, LOCAL_REGION, readStack } from "./template/read.ts";
import { synthesize } from "./template/synthesize.ts";
import { watchSources } from "./watch.ts";

export type RuntimeOptions = {
  /** Folder for everything that outlives a stop: database, messages, the synthesized app. */
  dataDir: string;
  /** Where the synthesized app goes (default: in the data folder); runs that share it share one synthesis. */
  assemblyDir?: string;
  /** Port of the API; undefined takes a free one. */
  port?: number;
  /** Deletes what the folder holds before the start. */
  fresh?: boolean;
  /** Rebuilds and reloads the functions when their sources change. */
  watch?: boolean;
  /** Gets one line per thing that happens; payloads are never among them. */
  log?: (line: string) => void;
};

/** The addresses of a running stack; what `npm start -- --json` prints and `runtime.json` holds. */
export type Addresses = {
  url: string;
  databaseUrl: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  awsEndpointUrl: string;
  dataApiUrl: string;
};

export type Runtime = {
  addresses: Addresses;
  /** For fault tests: stop, start, freeze the database, and make the Data API fail. */
  postgres: Postgres;
  dataApiFaults: Faults;
  /** Finishes what is in flight, then ends every process. */
  stop(): Promise<void>;
};

/**
 * Runs the stack on this machine: synthesizes the CDK app and does what its template says, with a real PostgreSQL, a
 * real queue and the bundled functions in their own processes.
 * @throws Error that says what is wrong with the template, a port, the data folder or a migration
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { log = () => undefined } = options;
  const dataDir = resolve(options.dataDir);
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const stopPart of stops.toReversed()) {
      await stopPart().catch((error: unknown) =>
        log(`stop: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
  };
  try {
    return await startParts({ ...options, dataDir, log }, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  options: RuntimeOptions & { log: (line: string) => void },
  stops: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Runtime> {
  const { dataDir, log } = options;
  stops.push(await takeDataFolder(dataDir, options.fresh ?? false));

  const assemble = () =>
    synthesize({ projectDir: PROJECT_DIR, outDir: options.assemblyDir ?? join(dataDir, "cdk.out"), log });
  const assembling = assemble();
  // The queues' addresses are known once they run, and what runs is read from the template: so it is read twice.
  const reading = assembling.then((assembly) => readStack(assembly, { sqsEndpoint: "http://127.0.0.1" }));
  // It is awaited below, but may fail before that.
  reading.catch(() => undefined);
  const postgres = await startPostgres({
    dataDir: join(dataDir, "postgres"),
    databaseName: reading.then(({ database }) => database.databaseName),
    log: (line) => (line.includes(" LOG: ") ? undefined : log(`postgres: ${line}`)),
  });
  stops.push(() => postgres.stop());
  const { queues } = await reading;
  const sqs = await startSqs({
    dataDir: join(dataDir, "sqs"),
    queues,
    region: LOCAL_REGION,
    log: labelled(log, "sqs"),
  });
  stops.push(() => sqs.stop());
  const read = (from: Assembly) => readStack(from, { sqsEndpoint: sqs.endpoint });
  const stack = read(await assembling);

  const dataApi = await startDataApi({ databaseUrl: postgres.url, ...stack.database, log: labelled(log, "data-api") });
  stops.push(() => dataApi.stop());

  const endpoints = { AWS_ENDPOINT_URL: sqs.endpoint, AWS_ENDPOINT_URL_RDS_DATA: dataApi.url };
  const functions = startStackFunctions(stack, { region: LOCAL_REGION, endpoints, log });
  stops.push(() => functions.stop());
  const { invoke } = functions;

  await runTriggers(stack.triggers, invoke);

  for (const mapping of stack.eventSources) {
    const source = startEventSource({
      mapping,
      queueUrl: sqs.queueUrl(mapping.queueArn),
      endpoint: sqs.endpoint,
      region: LOCAL_REGION,
      invoke: invoke(mapping.functionArn),
      log: labelled(log, "event-source"),
    });
    stops.push(() => source.stop());
  }
  const schedules = startSchedules(stack.schedules, (arn, payload) => invoke(arn)(payload), {
    log: labelled(log, "schedule"),
  });
  stops.push(() => schedules.stop());
  const api = await startApi(stack, invoke, options);
  stops.push(() => api.stop());

  if (options.watch) {
    let current = stack;
    const onChange = async () => {
      const next = read(await assemble());
      await reload(next, current, { functions, api, log });
      current = next;
    };
    const watcher = watchSources(PROJECT_DIR, onChange, log);
    stops.push(() => watcher.stop());
  }

  const addresses: Addresses = {
    url: api.url,
    databaseUrl: postgres.url,
    queueUrl: output(stack, "QueueUrl"),
    deadLetterQueueUrl: output(stack, "DeadLetterQueueUrl"),
    awsEndpointUrl: sqs.endpoint,
    dataApiUrl: dataApi.url,
  };
  const runtimeFile = join(dataDir, "runtime.json");
  stops.push(() => rm(runtimeFile, { force: true }));
  await writeFile(runtimeFile, `${JSON.stringify(addresses)}\n`, { mode: 0o600 });
  return { addresses, postgres, dataApiFaults: dataApi.faults, stop };
}

const PROJECT_DIR = resolve(import.meta.dirname, "..");

/** Where the API listens when nobody says; taken already, any free port will do. */
const PREFERRED_PORT = 4800;

async function startApi(
  stack: StackModel,
  invoke: (arn: string) => Invoke,
  options: RuntimeOptions & { log: (line: string) => void },
) {
  const settings = {
    api: stack.api,
    invoke,
    accountId: LOCAL_ACCOUNT_ID,
    log: labelled(options.log, "api"),
  };
  if (options.port !== undefined) return startApiGateway({ ...settings, port: options.port });
  return startApiGateway({ ...settings, port: PREFERRED_PORT }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    return startApiGateway({ ...settings, port: 0 });
  });
}

function output(stack: StackModel, name: string): string {
  const value = stack.outputs[name];
  if (value === undefined) throw new Error(`The stack has no output ${name}.`);
  return value;
}

function labelled(log: (line: string) => void, label: string) {
  return (line: string) => log(`${label}: ${line}`);
}
