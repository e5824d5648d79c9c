import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventBridgeBill, firehoseBill } from "./alternatives.ts";
import { IDLE_POLL_SECONDS, IDLE_POLLERS } from "./assumptions.ts";
import { bill, type BillLine, part, total } from "./bill.ts";
import { measureOperations } from "./measure-operations.ts";
import type { PipelineKind } from "../pipeline/pipeline.ts";

export type CostShape = {
  /** JSON bytes of one event as the client sends it. */
  eventBytes: number;
  /** Events per request. */
  batch: number;
  /** Events per second. */
  rate: number;
  /** How long a counted run lasts. @default 10 */
  seconds?: number;
};

export type Design = {
  name: string;
  lines: BillLine[];
  /** Dollars per million events. */
  total: number;
  /** Events per second of the run that was counted; undefined where the bill is computed. */
  countedAt: number | undefined;
};

export type CostReport = {
  shape: Required<CostShape>;
  sluice: Design;
  naive: Design;
  /** EventBridge and Firehose. */
  alternatives: Design[];
  /** Dollars per month of a queue that nobody sends to. */
  idlePerMonth: number;
};

/**
 * Dollars per million events of a shape: Sluice and the naive pattern by what a run on this machine did, EventBridge and
 * Firehose by their published units. Takes about a minute.
 * @throws Error unless every event is accepted and stored once, and the reason of `signal` once that fires
 */
export async function costPerMillion(shape: CostShape, signal?: AbortSignal): Promise<CostReport> {
  const { eventBytes, batch, rate, seconds = 10 } = shape;
  const folder = await mkdtemp(join(tmpdir(), "sluice-cost-"));
  try {
    const counted = async (name: string, kind: PipelineKind): Promise<Design> => {
      const countedAt = Math.min(rate, MOST_EVENTS_PER_SECOND[kind], MOST_REQUESTS_PER_SECOND * batch);
      const run = { eventBytes, batch, rate: countedAt, seconds };
      const measured = await measureOperations(kind, run, { assemblyDir: join(folder, "cdk.out"), signal });
      return design(name, bill(measured, { rate }), countedAt);
    };
    return {
      shape: { eventBytes, batch, rate, seconds },
      sluice: await counted("Sluice", "ours"),
      naive: await counted("naive", "naive"),
      alternatives: [
        design("EventBridge", eventBridgeBill({ eventBytes })),
        design("Firehose to S3", firehoseBill({ eventBytes })),
        design("Firehose, packed", firehoseBill({ eventBytes, eventsPerRecord: batch })),
      ],
      idlePerMonth: idlePerMonth(),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Well below what a laptop takes: nearer to it, functions wait for each other and a run counts the waiting. */
const MOST_EVENTS_PER_SECOND: Record<PipelineKind, number> = { ours: 2_000, naive: 200 };
const MOST_REQUESTS_PER_SECOND = 200;

function design(name: string, lines: BillLine[], countedAt?: number): Design {
  return { name, lines, total: total(lines), countedAt };
}

/** Receives of a month without messages; the database pauses, and functions that are not invoked cost nothing. */
export function idlePerMonth(): number {
  return part("receives", (IDLE_POLLERS * MONTH_SECONDS) / IDLE_POLL_SECONDS, "sqsChunk").dollars;
}

/** 730 hours, as AWS counts a month. */
const MONTH_SECONDS = 730 * 3600;
