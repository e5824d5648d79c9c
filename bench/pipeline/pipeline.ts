import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Pool } from "pg";
import { localClient } from "../../cli/local-client.ts";
import { withoutMetrics } from "../../localstack/lambda/forward-lines.ts";
import { type Runtime, startRuntime } from "../../localstack/runtime.ts";
import type { StackModel } from "../../localstack/template/model.ts";
import { createCountedFronts } from "./counted-fronts.ts";
import { bundleNaive, CREATE_NAIVE_EVENTS, naiveStack } from "./naive-stack.ts";
import { type FunctionRole, noOperations, type Operations } from "./operations.ts";

/** `ours` is the unchanged template; `naive` is the same stack with the functions of bench/naive. */
export type PipelineKind = "ours" | "naive";

export type PipelineOptions = {
  /** Puts counting proxies in front of queue, Data API and DynamoDB. Leave it out to measure speed. */
  counted?: boolean;
  /** Lets subscriptions deliver to this machine. */
  allowHttpSinks?: boolean;
  /** Folder of the synthesized app; pipelines with the same folder share one synthesis. */
  assemblyDir?: string;
  /** Aborts the start. */
  signal?: AbortSignal | undefined;
};

export type Pipeline = {
  kind: PipelineKind;
  url: string;
  /** An admin's key of the tenant `default`. */
  apiKey: string;
  postgres: Runtime["postgres"];
  functionNames: Record<FunctionRole, string>;
  /** The table of the events, with `id`, `source` and `stored_at`. */
  table: string;
  /** Operations since the start or `reset()`; without `counted` only those of functions and logs. */
  operations: () => Operations;
  /** Filters the ids of events that can be read. */
  readable: (ids: readonly string[]) => Promise<string[]>;
  /** Queries PostgreSQL directly. */
  ask: (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
  /** Sends the message of a step to the queue of a construct, for example `Retain`, as its daily run does. */
  sendStep: (construct: string) => Promise<void>;
  /** Empties the tables and sets the counts to zero. */
  reset: () => Promise<void>;
  /** Ends every process and deletes all data. */
  stop: () => Promise<void>;
};

/**
 * Starts a whole stack on this machine, on free ports and in a temporary folder.
 * @throws Error that names the part that did not start, after removing everything
 */
export async function startPipeline(kind: PipelineKind, options: PipelineOptions = {}): Promise<Pipeline> {
  const dataDir = await mkdtemp(join(tmpdir(), `sluice-bench-${kind}-`));
  try {
    const pipeline = await startIn(dataDir, kind, options);
    return {
      ...pipeline,
      async stop() {
        await pipeline.stop();
        await remove(dataDir);
      },
    };
  } catch (error) {
    await remove(dataDir);
    throw error;
  }
}

async function startIn(
  dataDir: string,
  kind: PipelineKind,
  { counted = false, allowHttpSinks = false, assemblyDir, signal }: PipelineOptions,
): Promise<Pipeline> {
  const bundles = join(dataDir, "bundles");
  if (kind === "naive") bundleNaive(bundles);
  const roles = new Map<string, FunctionRole>();
  let memory = { ingest: 0, consume: 0 };
  let operations = noOperations(memory);
  const firstRound = Promise.withResolvers<void>();
  let queues: StackModel["queues"] = [];
  const { fronts, stop: stopFronts } = createCountedFronts(() => operations);

  const runtime = await startRuntime({
    dataDir,
    ...(assemblyDir !== undefined && { assemblyDir }),
    ...(signal !== undefined && { signal }),
    allowHttpSinks,
    port: 0,
    log: (line) => {
      if (line.startsWith("{")) operations.logBytes += loggedBytes(line);
    },
    testHooks: {
      ...(counted && fronts),
      metrics: (line) => {
        const shown = withoutMetrics(line);
        operations.logBytes += loggedBytes(line) - (shown === undefined ? 0 : loggedBytes(shown));
      },
      invoked: (name, milliseconds) => {
        if (name.includes("Notify")) firstRound.resolve();
        const role = roles.get(name);
        if (role === undefined) return;
        operations.functions[role].invocations += 1;
        operations.functions[role].milliseconds += Math.ceil(milliseconds);
      },
      alter: (stack) => {
        queues = stack.queues;
        const { byArn, megabytes } = rolesOf(stack);
        for (const { name, arn } of stack.functions) {
          const role = byArn.get(arn);
          if (role !== undefined) roles.set(name, role);
        }
        memory = megabytes;
        return kind === "naive" ? naiveStack(stack, bundles, (arn) => byArn.get(arn)) : stack;
      },
    },
  }).catch(async (error: unknown) => {
    await stopFronts();
    throw error;
  });
  const pool = new Pool({ connectionString: runtime.addresses.databaseUrl, max: 2 });
  pool.on("error", () => undefined);
  const ask: Pipeline["ask"] = async (sql, values = []) =>
    (await pool.query<Record<string, unknown>>(sql, values)).rows;
  if (kind === "naive") {
    await ask(CREATE_NAIVE_EVENTS);
    // The function has the secret of consume.
    await ask("grant insert on naive_events to sluice_writer");
  }
  // A migration wakes the function notify, whose calls are none of the events.
  await Promise.race([firstRound.promise, delay(FIRST_ROUND_MS, undefined, { ref: false })]);
  operations = noOperations(memory);
  const nameOf = (wanted: FunctionRole) => [...roles].find(([, role]) => role === wanted)?.[0] ?? "";

  return {
    kind,
    url: runtime.addresses.url,
    apiKey: runtime.addresses.apiKey,
    postgres: runtime.postgres,
    functionNames: { ingest: nameOf("ingest"), consume: nameOf("consume") },
    table: TABLES[kind],
    operations: () => structuredClone(operations),
    ask,
    readable: async (ids) => (await ask(FIND_IDS[kind], [ids])).map(({ id }) => String(id)),
    async sendStep(construct) {
      const queue = queues.find(({ logicalId, redrive }) => logicalId.startsWith(construct) && redrive !== undefined);
      const url = `${runtime.addresses.awsEndpointUrl}/000000000000/${queue?.name}`;
      const client = new SQSClient(
        localClient({ endpoint: runtime.addresses.awsEndpointUrl, region: runtime.addresses.region, maxAttempts: 3 }),
      );
      try {
        await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "{}", MessageGroupId: "bench" }));
      } finally {
        client.destroy();
      }
    },
    async reset() {
      await ask(kind === "naive" ? "truncate naive_events" : "truncate events, event_keys");
      operations = noOperations(memory);
    },
    async stop() {
      await pool.end();
      await runtime.stop();
      await stopFronts();
    },
  };
}

/** Removes the folder, and the PostgreSQL cluster behind its link: a cluster started by root is elsewhere. */
async function remove(dataDir: string): Promise<void> {
  const cluster = await realpath(join(dataDir, "postgres")).catch(() => undefined);
  if (cluster !== undefined) await rm(cluster, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

/** Far longer than it takes. */
const FIRST_ROUND_MS = 30_000;

const TABLES: Record<PipelineKind, string> = { ours: "events", naive: "naive_events" };

/** Both queries use the primary key. */
const FIND_IDS: Record<PipelineKind, string> = {
  ours: "select id from event_keys where tenant = 'default' and id = any($1)",
  naive: "select id from naive_events where id = any($1)",
};

/** CloudWatch adds this to each log event. @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const LOG_EVENT_BYTES = 26;

function loggedBytes(line: string): number {
  return Buffer.byteLength(line) + LOG_EVENT_BYTES;
}

/** Finds the two functions that every event passes: the one behind `POST /events`, and the queue's consumer. */
function rolesOf({ api, eventSources, functions }: StackModel) {
  const ingest = api.routes.find(({ method, path }) => method === "POST" && path === "/events")?.functionArn;
  const consume = eventSources[0]?.functionArn;
  if (ingest === undefined || consume === undefined)
    throw new Error("The template has no POST /events, or no consumer.");
  const megabytesOf = (arn: string) => functions.find((each) => each.arn === arn)?.memoryMegabytes ?? 0;
  return {
    byArn: new Map<string, FunctionRole>([
      [ingest, "ingest"],
      [consume, "consume"],
    ]),
    megabytes: { ingest: megabytesOf(ingest), consume: megabytesOf(consume) },
  };
}
