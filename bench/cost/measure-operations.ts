import { setTimeout as delay } from "node:timers/promises";
import { sendAtRate } from "../pipeline/measure.ts";
import { type Pipeline, type PipelineKind, type PipelineOptions, startPipeline } from "../pipeline/pipeline.ts";
import { functionPeakMegabytes, functionProcessorSeconds, processorSeconds } from "../pipeline/processor-time.ts";
import { untilDeleted, untilStored } from "../pipeline/until-stored.ts";
import type { Measured } from "./bill.ts";

type Run = { eventBytes: number; batch: number; rate: number; seconds: number };

/** Starts a pipeline, warms it up, and counts its work for events at a constant rate. */
export async function measureOperations(kind: PipelineKind, run: Run, options: PipelineOptions): Promise<Measured> {
  const pipeline = await startPipeline(kind, { ...options, counted: true });
  try {
    await sendAll(pipeline, { ...run, seconds: WARM_UP_SECONDS });
    await pipeline.reset();
    const before = await work(pipeline);
    const sent = await sendAll(pipeline, run);
    const operations = pipeline.operations();
    const after = await work(pipeline);
    return {
      ...sent,
      operations,
      walBytes: after.walBytes - before.walBytes,
      walWrites: after.walWrites - before.walWrites,
      databaseProcessorSeconds: after.database - before.database,
      functionProcessorSeconds: {
        ingest: difference(after.ingest, before.ingest),
        consume: difference(after.consume, before.consume),
      },
      functionPeakMegabytes: {
        ingest: functionPeakMegabytes(pipeline.functionNames.ingest),
        consume: functionPeakMegabytes(pipeline.functionNames.consume),
      },
    };
  } finally {
    await pipeline.stop();
  }
}

/** The warm-up starts every function process and fills caches and plans, so that cold starts are not counted. */
const WARM_UP_SECONDS = 3;

/** Sends events, and waits until the last one is stored and its message deleted. */
async function sendAll(pipeline: Pipeline, { eventBytes, batch, rate, seconds }: Run) {
  const sent = await sendAtRate(pipeline, { eventsPerSecond: rate, seconds, perRequest: batch, eventBytes });
  await untilStored(pipeline, sent.source, sent.events);
  await untilDeleted(pipeline);
  return { events: sent.events, requests: sent.report.requests, responseBytes: sent.report.responseBytes };
}

/** Reads the work counters of the pipeline's processes. */
async function work(pipeline: Pipeline) {
  await endDataApiSessions(pipeline);
  const [row] = await pipeline.ask(
    "select (pg_current_wal_lsn() - '0/0')::float as bytes, wal_write::float as writes from pg_stat_wal",
  );
  return {
    walBytes: Number(row?.["bytes"]),
    walWrites: Number(row?.["writes"]),
    database: processorSeconds(pipeline.postgres.pid ?? 0),
    ingest: functionProcessorSeconds(pipeline.functionNames.ingest),
    consume: functionProcessorSeconds(pipeline.functionNames.consume),
  };
}

/** PostgreSQL publishes a session's statistics when the session ends. The Data API opens new sessions. */
async function endDataApiSessions({ ask }: Pipeline): Promise<void> {
  for (;;) {
    const ended = await ask(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice data api'",
    );
    if (ended.length === 0) return;
    await delay(50);
  }
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}
