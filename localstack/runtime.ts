import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { startApiGateway } from "./api-gateway/start-api-gateway.ts";
import { startDataApi } from "./data-api/data-api.ts";
import type { Faults } from "./data-api/faults.ts";
import { takeDataFolder } from "./data-folder.ts";
import { startEventSource } from "./event-source/event-source.ts";
import type { Invoke } from "./lambda/invoke.ts";
import { runTriggers, type StackFunctions, startStackFunctions } from "./lambda/stack-functions.ts";
import { type Postgres, startPostgres } from "./postgres/postgres.ts";
import { unlessAborted } from "./on-abort.ts";
import { reload } from "./reload.ts";
import { startSchedules } from "./schedule/schedule.ts";
import { startLastingSqs } from "./sqs/lasting-sqs.ts";
import { type StopPart, stopInOrder, together } from "./stop-order.ts";
import { supervise } from "./supervise.ts";
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
  /** Ends a start that is under way; without effect on a runtime that has started. */
  signal?: AbortSignal;
  /** Gets one line per thing that happens; payloads are never among them. */
  log?: (line: string) => void;
  /** For fault tests and benchmarks. */
  disturb?: Disturbance;
};

/** What a fault test or a benchmark puts between the parts. */
type Disturbance = {
  /** Starts something in front of the queue and answers its URL: functions, event source and commands go through it. */
  queueFront?: (endpoint: string) => Promise<string>;
  /** The same in front of the Data API, for the functions. */
  dataApiFront?: (endpoint: string) => Promise<string>;
  /** Told how long each invocation of a function ran, in milliseconds. */
  invoked?: (functionName: string, milliseconds: number) => void;
  /** Gets the lines of the functions that CloudWatch would take for metrics. */
  metrics?: (line: string) => void;
  /** Changes what was read from the template, for example to visibility timeouts of seconds. */
  alter?: (stack: StackModel) => StackModel;
  /** Gets the functions once they run, to deploy other code meanwhile. */
  functions?: (functions: Pick<StackFunctions, "reload">) => void;
};

/** The addresses of a running stack; what `npm start -- --json` prints and `runtime.json` holds. */
export type Addresses = {
  region: string;
  url: string;
  databaseUrl: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  awsEndpointUrl: string;
  dataApiUrl: string;
  /** The names that the Data API takes. */
  clusterArn: string;
  secretArn: string;
  databaseName: string;
};

export type Runtime = {
  addresses: Addresses;
  /** For fault tests: stop, start, freeze the database, and make the Data API fail. */
  postgres: Postgres;
  dataApiFaults: Faults;
  /** Settles if a process of it ends again and again: why it cannot go on and is to be stopped. */
  failure: Promise<Error>;
  /** Finishes what is in flight as far as that takes three seconds, then ends every process. */
  stop(): Promise<void>;
};

/**
 * Runs the stack on this machine: synthesizes the CDK app and does what its template says, with a real PostgreSQL, a
 * real queue and the bundled functions in their own processes.
 * @throws Error that says what is wrong with the template, a port, the data folder or a migration, and the reason of
 *   `signal` once that fires; nothing runs on then
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { log = () => undefined } = options;
  const dataDir = resolve(options.dataDir);
  const stops: StopPart[] = [];
  const stop = () => stopInOrder(stops, log);
  try {
    await refuseTakenPort(options.port);
    return await startParts({ ...options, dataDir, log }, stops, stop);
  } catch (error) {
    await stop();
    options.signal?.throwIfAborted();
    throw error;
  }
}

async function startParts(
  options: RuntimeOptions & { log: (line: string) => void },
  stops: StopPart[],
  stop: () => Promise<void>,
): Promise<Runtime> {
  const { dataDir, log, signal = new AbortController().signal } = options;
  const failure = Promise.withResolvers<Error>();
  stops.push(await takeDataFolder(dataDir, options.fresh ?? false));

  const outDir = options.assemblyDir ?? join(dataDir, "cdk.out");
  const ending = new AbortController();
  const assembling = synthesize({
    projectDir: PROJECT_DIR,
    outDir,
    signal: AbortSignal.any([signal, ending.signal]),
    log,
  });
  const { queueFront, dataApiFront, metrics, invoked, alter = unaltered } = options.disturb ?? {};
  // The queues' addresses are known once they run, and what runs is read from the template: so it is read twice.
  const reading = assembling.then((assembly) => alter(readStack(assembly, { sqsEndpoint: "http://127.0.0.1" })));
  // It is awaited below, but may fail before that.
  reading.catch(() => undefined);
  // A synthesis under way writes into the folder: it ends before the folder is given back.
  stops.push(() => {
    ending.abort();
    return assembling.catch(() => undefined);
  });
  const database = supervise({
    name: "PostgreSQL",
    restart: () => postgres.start(),
    giveUp: failure.resolve,
    log,
  });
  const postgres = await startPostgres({
    dataDir: join(dataDir, "postgres"),
    databaseName: reading.then(({ database: { databaseName } }) => databaseName),
    log: (line) => (line.includes(" LOG: ") ? undefined : log(`postgres: ${line}`)),
    onCrash: database.ended,
    signal,
  });
  stops.push(async (giveUp) => {
    await database.stop();
    await postgres.stop("fast", giveUp.aborted ? HURRIED_DATABASE_STOP_MS : DATABASE_STOP_MS);
  });
  const { queues } = await reading;
  const sqs = await startLastingSqs({
    dataDir: join(dataDir, "sqs"),
    queues,
    region: LOCAL_REGION,
    giveUp: failure.resolve,
    log: labelled(log, "sqs"),
  });
  stops.push((giveUp) => sqs.stop(giveUp));
  signal.throwIfAborted();
  const sqsEndpoint = (await queueFront?.(sqs.endpoint)) ?? sqs.endpoint;
  const read = (from: Assembly) => alter(readStack(from, { sqsEndpoint }));
  const stack = read(await assembling);

  const dataApi = await startDataApi({ databaseUrl: postgres.url, ...stack.database, log: labelled(log, "data-api") });
  stops.push(() => dataApi.stop());

  const dataApiEndpoint = (await dataApiFront?.(dataApi.url)) ?? dataApi.url;
  const endpoints = { AWS_ENDPOINT_URL: sqsEndpoint, AWS_ENDPOINT_URL_RDS_DATA: dataApiEndpoint };
  const functions = startStackFunctions(stack, { region: LOCAL_REGION, endpoints, log, metrics, invoked });
  stops.push((giveUp) => functions.stop(giveUp));
  options.disturb?.functions?.(functions);
  const { invoke } = functions;

  await unlessAborted(runTriggers(stack.triggers, invoke), signal, undefined);
  signal.throwIfAborted();

  const front: StopPart[] = [];
  stops.push((giveUp) => together(front)(giveUp));

  for (const mapping of stack.eventSources) {
    const source = startEventSource({
      mapping,
      queueUrl: sqs.queueUrl(mapping.queueArn).replace(sqs.endpoint, sqsEndpoint),
      endpoint: sqsEndpoint,
      region: LOCAL_REGION,
      invoke: invoke(mapping.functionArn),
      log: labelled(log, "event-source"),
    });
    front.push((giveUp) => source.stop(giveUp));
  }
  const schedules = startSchedules(stack.schedules, (arn, payload) => invoke(arn)(payload), {
    log: labelled(log, "schedule"),
  });
  front.push((giveUp) => schedules.stop(giveUp));
  const api = await startApi(stack, invoke, options);
  front.push((giveUp) => api.stop(giveUp));

  if (options.watch) {
    let current = stack;
    const stopWatching = new AbortController();
    const onChange = async () => {
      const inUse = [...functions.assetPaths(), ...current.functions.map(({ assetPath }) => assetPath)];
      const next = read(await synthesize({ projectDir: PROJECT_DIR, outDir, inUse, signal: stopWatching.signal, log }));
      await reload(next, current, { functions, api, log, started: stack });
      current = next;
    };
    const watcher = watchSources(PROJECT_DIR, onChange, log);
    stops.push(() => {
      stopWatching.abort();
      return watcher.stop();
    });
  }

  const addresses: Addresses = {
    region: LOCAL_REGION,
    url: api.url,
    databaseUrl: postgres.url,
    queueUrl: output(stack, "QueueUrl"),
    deadLetterQueueUrl: output(stack, "DeadLetterQueueUrl"),
    awsEndpointUrl: sqsEndpoint,
    dataApiUrl: dataApi.url,
    ...stack.database,
  };
  const runtimeFile = join(dataDir, "runtime.json");
  stops.push(() => rm(runtimeFile, { force: true }));
  await writeFile(runtimeFile, `${JSON.stringify(addresses)}\n`, { mode: 0o600 });
  signal.throwIfAborted();
  return { addresses, postgres, dataApiFaults: dataApi.faults, failure: failure.promise, stop };
}

const unaltered = (stack: StackModel): StackModel => stack;

const PROJECT_DIR = resolve(import.meta.dirname, "..");

/** For a clean stop of the database once all else has ended; it needs a tenth of it. Then it is stopped as by a crash. */
const DATABASE_STOP_MS = 2_000;
const HURRIED_DATABASE_STOP_MS = 400;

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
  if (options.port !== undefined) {
    return startApiGateway({ ...settings, port: options.port }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "EADDRINUSE" ? new Error(portTaken(options.port)) : error;
    });
  }
  return startApiGateway({ ...settings, port: PREFERRED_PORT }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    return startApiGateway({ ...settings, port: 0 });
  });
}

/** Asked before anything starts: the API itself comes last. */
function refuseTakenPort(port: number | undefined): Promise<void> {
  if (port === undefined || port === 0) return Promise.resolve();
  const server = createServer();
  return new Promise((free, refused) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      refused(error.code === "EADDRINUSE" ? new Error(portTaken(port)) : error),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => free()));
  });
}

const portTaken = (port: number | undefined): string => `port ${port} is taken; name another with --port`;

function output(stack: StackModel, name: string): string {
  const value = stack.outputs[name];
  if (value === undefined) throw new Error(`The stack has no output ${name}.`);
  return value;
}

function labelled(log: (line: string) => void, label: string) {
  return (line: string) => log(`${label}: ${line}`);
}
