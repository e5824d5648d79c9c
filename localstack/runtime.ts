import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Addresses } from "./addresses.ts";
import { startDataApi } from "./data-api/data-api.ts";
import type { Faults } from "./data-api/faults.ts";
import { takeDataFolder } from "./data-folder.ts";
import { startSupervisedDynamodb } from "./dynamodb/dynamodb.ts";
import { startEventSource } from "./event-source/event-source.ts";
import { runTriggers, startStackFunctions } from "./lambda/stack-functions.ts";
import { invokeAccess } from "./invoke-access.ts";
import { ensureLocalKeys } from "./local-keys.ts";
import { type Postgres, startPostgres } from "./postgres/postgres.ts";
import { unlessAborted } from "./on-abort.ts";
import { reload } from "./reload.ts";
import type { RuntimeOptions } from "./runtime-options.ts";
import { startSchedules } from "./schedule/schedule.ts";
import { masterCredentials } from "./secrets-manager/master-credentials.ts";
import { startSupervisedS3 } from "./s3/s3.ts";
import { startSecretsManager } from "./secrets-manager/secrets-manager.ts";
import { startSupervisedSqs } from "./sqs/supervised-sqs.ts";
import { refuseUnusable, startApi } from "./start-api.ts";
import { stackOutput } from "./template/stack-output.ts";
import { type StopPart, stopInOrder, together } from "./stop-in-order.ts";
import { STOP_DATABASE_LATE_MS, STOP_DATABASE_MS } from "./stop-times.ts";
import { supervise } from "./supervise.ts";
import type { Assembly } from "./template/assembly.ts";
import type { StackModel } from "./template/model.ts";
import { LOCAL_REGION, readStack } from "./template/read-stack.ts";
import { synthesize } from "./template/synthesize.ts";
import { snapshotSources, watchSources } from "./watch-sources.ts";

export type Runtime = {
  addresses: Addresses;
  /** The addresses where the API listens. */
  listensOn: string[];
  /** For fault tests: stop, start, freeze the database, and make the Data API fail. */
  postgres: Postgres;
  dataApiFaults: Faults;
  /** Settles with the reason if a process ends again and again; the runtime must be stopped then. */
  failure: Promise<Error>;
  /** Lets work in flight finish for up to three seconds, then ends every process. */
  stop(): Promise<void>;
};

/**
 * Runs the stack on this machine: synthesizes the CDK app and runs its template with a real PostgreSQL, a real queue and
 * the bundled functions in separate processes.
 * @throws Error that names the fault in the template, a port, the data folder or a migration, or the reason of `signal`
 *   once that fires; every process has ended then
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { log = () => undefined } = options;
  const dataDir = resolve(options.dataDir);
  const stops: StopPart[] = [];
  const stop = () => stopInOrder(stops, log);
  try {
    await refuseUnusable(options);
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
  const since = options.watch ? snapshotSources(PROJECT_DIR) : undefined;
  const assembling = synthesize({
    projectDir: PROJECT_DIR,
    outDir,
    signal: AbortSignal.any([signal, ending.signal]),
    log,
  });
  const { queueFront, dataApiFront, dynamodbFront, s3Front, alter = unaltered } = options.testHooks ?? {};
  const { metrics, invoked, maxProcesses } = options.testHooks ?? {};
  const region = LOCAL_REGION;
  // The template is read twice: it names the queues to start, and their URLs are known only once they run.
  const reading = assembling.then((assembly) => alter(readStack(assembly, { sqsEndpoint: "http://127.0.0.1" })));
  const databaseName = reading.then(({ database: { databaseName: name } }) => name);
  // Both are awaited below, but may fail before that.
  reading.catch(() => undefined);
  databaseName.catch(() => undefined);
  // A synthesis writes into the folder, so it must end before the folder is released.
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
    databaseName,
    log: (line) => (line.includes(" LOG: ") ? undefined : log(`postgres: ${line}`)),
    onCrash: database.ended,
    signal,
  });
  stops.push(async (giveUp) => {
    await database.stop();
    await postgres.stop("fast", giveUp.aborted ? STOP_DATABASE_LATE_MS : STOP_DATABASE_MS);
  });
  const { queues, tables, buckets } = await reading;
  const giveUp = failure.resolve;
  const startingSqs = startSupervisedSqs({
    dataDir: join(dataDir, "sqs"),
    queues,
    region,
    giveUp,
    log: labelled(log, "sqs"),
  });
  const startingDynamodb = startSupervisedDynamodb({
    dataDir: join(dataDir, "dynamodb"),
    tables,
    giveUp,
    log: labelled(log, "dynamodb"),
  });
  const startingS3 =
    buckets.length === 0
      ? Promise.resolve(undefined)
      : startSupervisedS3({ dataDir: join(dataDir, "s3"), buckets, giveUp, log: labelled(log, "s3") });
  stops.push(together([startingSqs, startingDynamodb, startingS3].map(stopOnceStarted)));
  const [sqs, dynamodb, s3] = await Promise.all([startingSqs, startingDynamodb, startingS3]);
  signal.throwIfAborted();
  const sqsEndpoint = (await queueFront?.(sqs.endpoint)) ?? sqs.endpoint;
  const read = (from: Assembly) => alter(readStack(from, { sqsEndpoint }));
  const stack = read(await assembling);

  const secretsManager = await startSecretsManager({
    dataDir: join(dataDir, "secrets"),
    secrets: stack.secrets,
    managed: [{ arn: stack.database.secretArn, owner: "rds", text: masterCredentials(postgres.url) }],
    // Nobody knows the address before the functions run.
    invoke: (arn, payload) => functions.invoke(arn)(payload),
    log: labelled(log, "secrets-manager"),
  });
  stops.push(() => secretsManager.stop());
  const resources = { ...stack.database, readSecret: (arn: string) => secretsManager.readSecret(arn) };
  const dataApi = await startDataApi({ databaseUrl: postgres.url, ...resources, log: labelled(log, "data-api") });
  stops.push(() => dataApi.stop());

  const dataApiEndpoint = (await dataApiFront?.(dataApi.url)) ?? dataApi.url;
  const endpoints = {
    AWS_ENDPOINT_URL: sqsEndpoint,
    AWS_ENDPOINT_URL_RDS_DATA: dataApiEndpoint,
    AWS_ENDPOINT_URL_DYNAMODB: (await dynamodbFront?.(dynamodb.endpoint)) ?? dynamodb.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
    ...(s3 !== undefined && { AWS_ENDPOINT_URL_S3: (await s3Front?.(s3.endpoint)) ?? s3.endpoint }),
    // There is no CloudWatch here.
    ALARM_TOPIC_ARN: "",
    ...(options.allowHttpSinks && { ALLOW_HTTP_SINKS: "true" }),
    ...(options.otlpEndpoint !== undefined && { OTLP_ENDPOINT: options.otlpEndpoint }),
  };
  const functions = startStackFunctions(stack, { region, endpoints, log, metrics, invoked, maxProcesses });
  stops.push((giveUp) => functions.stop(giveUp));
  options.testHooks?.functions?.(functions);
  const { invoke } = functions;

  await unlessAborted(runTriggers(stack.triggers, invoke), signal, undefined);
  signal.throwIfAborted();

  const inputs: StopPart[] = [];
  stops.push((giveUp) => together(inputs)(giveUp));

  for (const mapping of stack.eventSources) {
    const source = startEventSource({
      mapping,
      queueUrl: sqs.queueUrl(mapping.queueArn).replace(sqs.endpoint, sqsEndpoint),
      endpoint: sqsEndpoint,
      region,
      invoke: invoke(mapping.functionArn),
      log: labelled(log, "event-source"),
    });
    inputs.push((giveUp) => source.stop(giveUp));
  }
  const schedules = startSchedules(stack.schedules, (arn, payload) => invoke(arn)(payload), {
    log: labelled(log, "schedule"),
  });
  inputs.push((giveUp) => schedules.stop(giveUp));
  const api = await startApi(stack, invoke, { ...options, log: labelled(log, "api") });
  inputs.push((giveUp) => api.stop(giveUp));

  if (since !== undefined) {
    let current = stack;
    const stopWatching = new AbortController();
    const onChange = async () => {
      const inUse = [...functions.assetPaths(), ...current.functions.map(({ assetPath }) => assetPath)];
      const next = read(await synthesize({ projectDir: PROJECT_DIR, outDir, inUse, signal: stopWatching.signal, log }));
      await reload(next, current, { functions, api, log, started: stack });
      current = next;
    };
    const watcher = watchSources({ projectDir: PROJECT_DIR, since: await since }, onChange, log);
    stops.push(() => {
      stopWatching.abort();
      return watcher.stop();
    });
  }

  const keys = await unlessAborted(
    ensureLocalKeys({ dataDir, url: api.url, invokeAccess: (payload) => invokeAccess(stack, invoke, payload) }),
    signal,
    undefined,
  );
  if (keys === undefined) throw signal.reason;
  const addresses: Addresses = {
    region,
    url: api.url,
    databaseUrl: postgres.url,
    queueUrl: stackOutput(stack, "QueueUrl"),
    deadLetterQueueUrl: stackOutput(stack, "DeadLetterQueueUrl"),
    awsEndpointUrl: sqsEndpoint,
    dynamodbUrl: dynamodb.endpoint,
    secretsManagerUrl: secretsManager.url,
    s3Url: s3?.endpoint,
    dataApiUrl: dataApi.url,
    ...stack.database,
    ...keys,
  };
  const runtimeFile = join(dataDir, "runtime.json");
  stops.push(() => rm(runtimeFile, { force: true }));
  await writeFile(runtimeFile, `${JSON.stringify(addresses)}\n`, { mode: 0o600 });
  signal.throwIfAborted();
  const { addresses: listensOn } = api;
  return { addresses, listensOn, postgres, dataApiFaults: dataApi.faults, failure: failure.promise, stop };
}

/** Stops a part that may still be starting. The error of a start that failed is thrown where its end is awaited. */
const stopOnceStarted =
  (starting: Promise<{ stop: StopPart } | undefined>): StopPart =>
  async (giveUp) =>
    (await starting.catch(() => undefined))?.stop(giveUp);

const unaltered = (stack: StackModel): StackModel => stack;

const PROJECT_DIR = resolve(import.meta.dirname, "..");

function labelled(log: (line: string) => void, label: string) {
  return (line: string) => log(`${label}: ${line}`);
}
