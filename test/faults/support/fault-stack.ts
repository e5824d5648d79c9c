import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Message, SQSClient } from "@aws-sdk/client-sqs";
import { Pool } from "pg";
import { inject } from "vitest";
import { buildHandler } from "../../../lib/bundle.ts";
import { type Runtime, startRuntime } from "../../../localstack/runtime.ts";
import type { FunctionModel, StackModel } from "../../../localstack/template/model.ts";
import { clonePreparedCluster, removeDataDir } from "../../support/cluster.ts";
import { useKey } from "../../support/http.ts";
import { LOCAL_AWS } from "../../support/local-aws.ts";
import { refuseSecretsIn, secretTexts } from "../../support/secret-texts.ts";
import { eventually } from "../../support/eventually.ts";
import { drain, queueDepth, receive } from "../../support/sqs.ts";
import { startSqsFaultProxy, type SqsFaultProxy } from "../../support/sqs-fault-proxy.ts";
import { type Failpoints, startFailpoints } from "./failpoints.ts";
import { startServiceFront, type ServiceFront } from "./service-front.ts";

/** The changes of a fault stack to the template, so that a fault takes seconds instead of minutes. Left out = as deployed. */
export type Scale = {
  /** Until a message comes again whose consumer died. */
  visibilitySeconds?: number;
  functionTimeoutSeconds?: number;
  /** Of the function that writes exports. */
  exportTimeoutSeconds?: number;
  /** Of the function that replays dead letters. */
  replayTimeoutSeconds?: number;
  /** Days are archived before they are dropped, as in prod. */
  archives?: boolean;
  /** Of the function that delivers events; it begins nothing in its last 35 seconds. */
  notifyTimeoutSeconds?: number;
  batchMessages?: number;
  windowSeconds?: number;
  maximumConcurrency?: number;
  maxReceiveCount?: number;
  /** Invocations of the consumer at once; those beyond are throttled. */
  reservedConcurrency?: number;
};

/** The whole stack with every switch a fault needs. */
export type FaultStack = Runtime & {
  dataDir: string;
  /** Log lines so far. */
  lines: string[];
  /** Lines in CloudWatch's embedded metric format so far. */
  metrics: string[];
  /** Between functions, event source, commands and the queue. */
  sqs: SqsFaultProxy;
  failpoints: Failpoints;
  /** Between functions and DynamoDB. */
  tables: ServiceFront;
  /** Between functions and S3. */
  files: ServiceFront;
  /** Asks PostgreSQL itself, past the Data API. */
  ask: <Row extends Record<string, unknown>>(sql: string, parameters?: unknown[]) => Promise<Row[]>;
  /** Past the proxy. */
  queue: QueueAtRest;
  /** The dead-letter queue and the table into which drain moves its messages, as if the rows were messages still. */
  deadLetters: QueueAtRest;
  /** Waits until every dead letter is in the table. */
  recorded: () => Promise<void>;
  /** Takes back every fault. */
  heal: () => Promise<void>;
  /** Changes a function while it runs: new invocations get what it is now, others end as they began. */
  deploy: (functionName: FunctionName, changes: Partial<Deployable>) => void;
  /** Stops the stack as Ctrl-C does, and starts it on the same folder. */
  restart: () => Promise<void>;
  shutDown: () => Promise<void>;
  remove: () => Promise<void>;
};

type QueueAtRest = {
  name: string;
  /** The queue's URL past the proxy, for `client`. */
  url: string;
  client: SQSClient;
  /** Messages that are visible, hidden or delayed. */
  depth: () => Promise<number>;
  /** Up to ten visible messages, which stay so. */
  peek: () => Promise<Message[]>;
  /** Receives and deletes every visible message. */
  drain: () => Promise<Message[]>;
};

/** Starts the stack with failpoints in its functions, on free ports and in a folder that goes away with it. */
export async function startFaultStack(scale: Scale = {}): Promise<FaultStack> {
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-faults-"));
  await clonePreparedCluster(join(dataDir, "postgres"));
  for (const functionName of FUNCTIONS)
    buildHandler(functionName, join(dataDir, "bundles", functionName), { dropLabels: [] });
  const lasting: Lasting = { dataDir, lines: [], metrics: [], failpoints: await startFailpoints() };
  const parts = await startParts(lasting, scale);
  const stack: FaultStack = {
    ...lasting,
    ...parts,
    async restart() {
      await stack.shutDown();
      Object.assign(stack, await startParts(lasting, scale));
    },
    async remove() {
      stack.failpoints.order();
      await stack.shutDown();
      await stack.failpoints.stop();
      const secrets = await secretTexts(dataDir);
      await removeDataDir(dataDir);
      await rm(dataDir, { recursive: true, force: true });
      refuseSecretsIn([...lasting.lines, ...lasting.metrics], secrets);
    },
  };
  return stack;
}

type Lasting = Pick<FaultStack, "dataDir" | "lines" | "metrics" | "failpoints">;

/** The parts that a restart creates again. */
async function startParts({ dataDir, lines, metrics, failpoints }: Lasting, scale: Scale) {
  let proxy: SqsFaultProxy | undefined;
  let tables: ServiceFront | undefined;
  let files: ServiceFront | undefined;
  let sqsEndpoint = "";
  let models: FunctionModel[] = [];
  let reload: ((model: FunctionModel) => void) | undefined;
  const runtime = await startRuntime({
    dataDir,
    assemblyDir: inject("assemblyDir"),
    port: 0,
    allowHttpSinks: true,
    log: (line) => lines.push(line),
    testHooks: {
      metrics: (line) => metrics.push(line),
      queueFront: async (endpoint) => {
        sqsEndpoint = endpoint;
        proxy = await startSqsFaultProxy(endpoint);
        return proxy.url;
      },
      dynamodbFront: async (endpoint) => {
        tables = await startServiceFront(endpoint);
        return tables.url;
      },
      s3Front: async (endpoint) => {
        files = await startServiceFront(endpoint);
        return files.url;
      },
      alter: (stack) => {
        const altered = scaled(withFailpoints(stack, dataDir, failpoints.url), scale);
        models = altered.functions;
        return altered;
      },
      functions: (functions) => {
        reload = functions.reload;
      },
    },
  });
  useKey(runtime.addresses.url, runtime.addresses.apiKey);
  if (proxy === undefined || tables === undefined || files === undefined)
    throw new Error("The runtime put nothing in front of queue, tables or files.");
  const sqs: SqsFaultProxy = proxy;
  const frontOfTables: ServiceFront = tables;
  const frontOfFiles: ServiceFront = files;
  const pool = new Pool({ connectionString: runtime.addresses.databaseUrl, max: 4 });
  // The server ends connections when a test stops it.
  pool.on("error", () => undefined);
  const client = new SQSClient({ ...LOCAL_AWS, endpoint: sqsEndpoint });
  const atRest = (url: string) => queueAtRest(client, sqsEndpoint + new URL(url).pathname);
  const deadLetterQueue = atRest(runtime.addresses.deadLetterQueueUrl);
  return {
    ...runtime,
    sqs,
    tables: frontOfTables,
    files: frontOfFiles,
    ask: async <Row extends Record<string, unknown>>(sql: string, parameters: unknown[] = []) =>
      (await pool.query<Row>(sql, parameters)).rows,
    queue: atRest(runtime.addresses.queueUrl),
    deadLetters: deadLettersAtRest(deadLetterQueue, pool),
    recorded: async () => void (await eventually(deadLetterQueue.depth, (depth) => depth === 0, DRAINED_MS)),
    async heal() {
      sqs.setFaults();
      sqs.onCall = undefined;
      frontOfTables.set("pass");
      frontOfFiles.set("pass");
      failpoints.order();
      runtime.dataApiFaults.clear();
      runtime.postgres.resume();
      await runtime.postgres.start();
    },
    deploy(functionName: FunctionName, changes: Partial<Deployable>) {
      const model = models.find((each) => nameOf(each) === functionName);
      if (model === undefined) throw new Error(`The stack has no function ${functionName}.`);
      reload?.({ ...model, ...changes });
    },
    async shutDown() {
      sqs.setFaults();
      await pool.end();
      client.destroy();
      await runtime.stop();
      await sqs.stop();
      await Promise.all([frontOfTables.stop(), frontOfFiles.stop()]);
    },
  };
}

/** The stages that have failpoints. */
const FUNCTIONS = ["ingest", "consume", "drain", "export", "replay", "notify", "retain"] as const;
type FunctionName = (typeof FUNCTIONS)[number];

type Deployable = Pick<FunctionModel, "assetPath" | "timeoutSeconds" | "reservedConcurrency">;

const nameOf = ({ name }: FunctionModel): FunctionName | undefined =>
  FUNCTIONS.find((functionName) => name.toLowerCase().includes(functionName));

/** The functions run from bundles that were made with their failpoints. */
function withFailpoints(stack: StackModel, dataDir: string, url: string): StackModel {
  const functions = stack.functions.map((model) => {
    const functionName = nameOf(model);
    if (functionName === undefined) return model;
    const environment = { ...model.environment, FAILPOINTS_URL: url };
    return { ...model, environment, assetPath: join(dataDir, "bundles", functionName) };
  });
  return { ...stack, functions };
}

function timeoutOf(name: FunctionName | undefined) {
  if (name === "export" || name === "replay" || name === "notify") return `${name}TimeoutSeconds` as const;
  return "functionTimeoutSeconds";
}

function scaled(stack: StackModel, scale: Scale): StackModel {
  const consumers = new Set(stack.eventSources.map(({ functionArn }) => functionArn));
  return {
    ...stack,
    functions: stack.functions.map((model) =>
      consumers.has(model.arn)
        ? {
            ...model,
            timeoutSeconds: scale[timeoutOf(nameOf(model))] ?? model.timeoutSeconds,
            ...(nameOf(model) === "consume" &&
              scale.reservedConcurrency !== undefined && { reservedConcurrency: scale.reservedConcurrency }),
            environment: {
              ...model.environment,
              ...(nameOf(model) === "retain" && scale.archives === true && { ARCHIVE: "before-drop" }),
              ...(scale.visibilitySeconds !== undefined && {
                QUEUE_VISIBILITY_SECONDS: String(scale.visibilitySeconds),
              }),
            },
          }
        : model,
    ),
    queues: stack.queues.map((queue) =>
      queue.redrive === undefined
        ? { ...queue, visibilityTimeoutSeconds: scale.visibilitySeconds ?? queue.visibilityTimeoutSeconds }
        : {
            ...queue,
            visibilityTimeoutSeconds: scale.visibilitySeconds ?? queue.visibilityTimeoutSeconds,
            redrive: {
              ...queue.redrive,
              maxReceiveCount: scale.maxReceiveCount ?? queue.redrive.maxReceiveCount,
            },
          },
    ),
    eventSources: stack.eventSources.map((mapping) => ({
      ...mapping,
      batchSize: scale.batchMessages ?? mapping.batchSize,
      windowSeconds: scale.windowSeconds ?? mapping.windowSeconds,
      maximumConcurrency: scale.maximumConcurrency ?? mapping.maximumConcurrency,
    })),
  };
}

function queueAtRest(client: SQSClient, url: string): QueueAtRest {
  return {
    name: new URL(url).pathname.split("/").at(-1) ?? "",
    url,
    client,
    depth: () => queueDepth(client, url),
    peek: () => receive(client, url, { visibilityTimeout: 0 }),
    drain: () => drain(client, url),
  };
}

/**
 * Dead letters wherever they are. While the database serves nobody, nothing is recorded, and those of the queue are all that are
 * known.
 */
function deadLettersAtRest(queue: QueueAtRest, pool: Pool): QueueAtRest {
  const rowsOf = async (sql: string) => {
    const asked = pool.query<RecordedRow>({ text: sql }).then(({ rows }) => rows);
    asked.catch(() => undefined);
    const given = new Promise<RecordedRow[]>((resolve) => setTimeout(resolve, ANSWER_MS, []).unref());
    return Promise.race([asked.catch((): RecordedRow[] => []), given]);
  };
  return {
    ...queue,
    depth: async () =>
      (await queue.depth()) + (await rowsOf(`select ${RECORDED} from dead_letters where state = 'open'`)).length,
    peek: async () => {
      const recorded = await rowsOf(`select ${RECORDED} from dead_letters where state = 'open' order by opened_at`);
      return [...recorded.map(toMessage), ...(await queue.peek())];
    },
    drain: async () => {
      await eventually(queue.depth, (depth) => depth === 0, DRAINED_MS);
      const { rows } = await pool.query<RecordedRow>(
        `with deleted as (delete from dead_letters returning *) select ${RECORDED} from deleted where state = 'open'`,
      );
      return rows.map(toMessage);
    },
  };
}

/** A database that does not answer in this time serves nobody. */
const ANSWER_MS = 2_000;
const DRAINED_MS = 60_000;

const RECORDED = "id, reason, sql_state, message, body, attempts, replays";
type RecordedRow = {
  id: string;
  reason: string;
  sql_state: string | null;
  message: string;
  body: string;
  attempts: number;
  replays: number;
};

/** A row as the message that it was. */
function toMessage({ id, body, message, sql_state: sqlState, ...facts }: RecordedRow): Message {
  const attributes = { ...facts, detail: message, ...(sqlState !== null && { sqlState }) };
  return {
    MessageId: id,
    Body: body,
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { DataType: "String", StringValue: String(value) }]),
    ),
  };
}
