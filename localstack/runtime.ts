import { mkdir, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { type ApiGateway, startApiGateway } from "./api-gateway/start-api-gateway.ts";
import { startDataApi } from "./data-api/data-api.ts";
import type { Faults } from "./data-api/faults.ts";
import { startEventSource } from "./event-source/event-source.ts";
import type { Invoke } from "./lambda/invoke.ts";
import { type LocalFunction, startFunction } from "./lambda/start-function.ts";
import { type Postgres, startPostgres } from "./postgres/postgres.ts";
import { startSchedules } from "./schedule/schedule.ts";
import { startSqs } from "./sqs/sqs.ts";
import type { Assembly } from "./template/assembly.ts";
import type { FunctionModel, StackModel } from "./template/model.ts";
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
    for (const stopPart of stops.toReversed()) await stopPart();
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
  if (options.fresh) await rm(dataDir, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true });

  const assemble = () =>
    synthesize({ projectDir: PROJECT_DIR, outDir: options.assemblyDir ?? join(dataDir, "cdk.out"), log });
  const assembling = assemble();
  // The queues' addresses are known once they run, and what runs is read from the template: so it is read twice.
  const reading = assembling.then((assembly) => readStack(assembly, { sqsEndpoint: "http://127.0.0.1" }));
  const postgres = await startPostgres({
    dataDir: join(dataDir, "postgres"),
    databaseName: reading.then(({ database }) => database.databaseName),
    log: labelled(log, "postgres"),
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

  const functions = startFunctions(
    stack,
    {
      AWS_ENDPOINT_URL: sqs.endpoint,
      AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
    },
    log,
  );
  stops.push(() => Promise.all([...functions.values()].map((each) => each.stop())));
  const invoke =
    (arn: string): Invoke =>
    (payload) =>
      find(functions, arn).invoke(payload);

  await runTriggers(stack, invoke);

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
    const watcher = watchSources(PROJECT_DIR, async () => reload(read(await assemble()), { functions, api, log }), log);
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

/** A laptop has fewer cores than Lambda; more processes than these only wait for each other. */
const MAX_PROCESSES = Math.max(4, availableParallelism());

/** The functions something invokes; CDK's own helpers stay unstarted. */
function startFunctions(stack: StackModel, endpoints: Record<string, string>, log: (line: string) => void) {
  const started = new Map<string, LocalFunction>();
  for (const model of invokedFunctions(stack)) {
    const settings = {
      region: LOCAL_REGION,
      accountId: LOCAL_ACCOUNT_ID,
      endpoints,
      maxProcesses: maxProcesses(stack, model),
      log,
    };
    started.set(model.arn, startFunction(model, settings));
  }
  return started;
}

function invokedFunctions(stack: StackModel): FunctionModel[] {
  const invoked = [...stack.api.routes, ...stack.eventSources, ...stack.schedules, ...stack.triggers];
  const arns = new Set(invoked.map(({ functionArn }) => functionArn));
  return stack.functions.filter(({ arn }) => arns.has(arn));
}

/** An event source's own cap holds also where the machine has more cores. */
function maxProcesses(stack: StackModel, { arn }: FunctionModel): number {
  return stack.eventSources.find(({ functionArn }) => functionArn === arn)?.maximumConcurrency ?? MAX_PROCESSES;
}

function find(functions: Map<string, LocalFunction>, arn: string): LocalFunction {
  const found = functions.get(arn);
  if (found === undefined) throw new Error(`The template invokes ${arn}, which is none of its functions.`);
  return found;
}

/** Runs what CloudFormation runs during a deployment; a failure stops the start, as it stops the deployment. */
async function runTriggers(stack: StackModel, invoke: (arn: string) => Invoke): Promise<void> {
  for (const { name, functionArn } of stack.triggers) {
    const result = await invoke(functionArn)("{}");
    if (result.kind !== "success")
      throw new Error(`${name} failed: ${"errorMessage" in result ? result.errorMessage : JSON.stringify(result)}`);
  }
}

async function startApi(
  stack: StackModel,
  invoke: (arn: string) => Invoke,
  options: RuntimeOptions & { log: (line: string) => void },
) {
  const settings = {
    api: stack.api,
    invoke,
    accountId: LOCAL_ACCOUNT_ID,
    region: LOCAL_REGION,
    log: labelled(options.log, "api"),
  };
  if (options.port !== undefined) return startApiGateway({ ...settings, port: options.port });
  return startApiGateway({ ...settings, port: PREFERRED_PORT }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    return startApiGateway({ ...settings, port: 0 });
  });
}

/** Takes over new code, environment and routes; other changes of the template need a new start. */
function reload(
  stack: StackModel,
  running: { functions: Map<string, LocalFunction>; api: ApiGateway; log: (line: string) => void },
) {
  for (const model of invokedFunctions(stack)) running.functions.get(model.arn)?.reload(model);
  running.api.update(stack.api);
  running.log("Reloaded the functions");
}

function output(stack: StackModel, name: string): string {
  const value = stack.outputs[name];
  if (value === undefined) throw new Error(`The stack has no output ${name}.`);
  return value;
}

function labelled(log: (line: string) => void, label: string) {
  return (line: string) => log(`${label}: ${line}`);
}
