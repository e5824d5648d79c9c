import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventBridgeBill, firehoseBill } from "./alternatives.ts";
import { IDLE_POLL_SECONDS, IDLE_POLLERS } from "./assumptions.ts";
import { bill, type BillLine, total } from "./bill.ts";
import { part } from "./bill-part.ts";
import { exportBill } from "./export-bill.ts";
import { measureOperations } from "./measure-operations.ts";
import { type Invocation, meanInvocations } from "./memory.ts";
import { MONTH_SECONDS } from "./prices.ts";
import type { PipelineKind } from "../pipeline/pipeline.ts";

export type CostShape = {
  /** Bytes of one event's JSON as the client sends it. */
  eventBytes: number;
  /** Events per request. */
  batch: number;
  /** Events per second. */
  rate: number;
  /** Duration of the counted run. @default 10 */
  seconds?: number;
};

export type Design = {
  name: string;
  lines: BillLine[];
  /** Dollars per million events. */
  total: number;
  /** Events per second of the counted run; undefined for a bill from published units alone. */
  countedAt: number | undefined;
  /** Its functions in the counted run. */
  invocations: Invocation[];
};

export type CostReport = {
  shape: Required<CostShape>;
  sluice: Design;
  naive: Design;
  /** EventBridge and Firehose. */
  alternatives: Design[];
  /** An export of a million events, from published units alone. */
  exported: BillLine[];
  /** Dollars per month of an idle queue. */
  idlePerMonth: number;
};

/**
 * Computes dollars per million events of a shape. Sluice and the naive pattern are counted in a run on this machine;
 * EventBridge and Firehose follow from their published units. Takes about a minute.
 * @throws Error unless every event is accepted and stored once; the reason of `signal` if it fires
 */
export async function costPerMillion(shape: CostShape, signal?: AbortSignal): Promise<CostReport> {
  const { eventBytes, batch, rate, seconds = 10 } = shape;
  const folder = await mkdtemp(join(tmpdir(), "sluice-cost-"));
  try {
    const counted = async (name: string, kind: PipelineKind): Promise<Design> => {
      const countedAt = countedRate(kind, shape);
      const run = { eventBytes, batch, rate: countedAt, seconds };
      const measured = await measureOperations(kind, run, { assemblyDir: join(folder, "cdk.out"), signal });
      return design(name, bill(measured, { rate, kind }), { countedAt, invocations: meanInvocations(measured) });
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
      exported: exportBill({ eventBytes }),
      idlePerMonth: idlePerMonth(),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs Sluice alone in a shape, for the mean invocations of its functions.
 * @throws Error unless every event is accepted and stored once; the reason of `signal` if it fires
 */
export async function invocationsOf(shape: CostShape, signal?: AbortSignal): Promise<Invocation[]> {
  const { eventBytes, batch, seconds = 10 } = shape;
  return meanInvocations(
    await measureOperations("ours", { eventBytes, batch, rate: countedRate("ours", shape), seconds }, { signal }),
  );
}

/** Well below the capacity of a laptop, because near it functions wait for each other and the run counts the wait. */
const MOST_EVENTS_PER_SECOND: Record<PipelineKind, number> = { ours: 2_000, naive: 200 };
const MOST_REQUESTS_PER_SECOND = 200;

const countedRate = (kind: PipelineKind, { rate, batch }: CostShape): number =>
  Math.min(rate, MOST_EVENTS_PER_SECOND[kind], MOST_REQUESTS_PER_SECOND * batch);

function design(
  name: string,
  lines: BillLine[],
  { countedAt, invocations = [] }: { countedAt?: number; invocations?: Invocation[] } = {},
): Design {
  return { name, lines, total: total(lines), countedAt, invocations };
}

/** The cost of a month's empty receives. The database pauses, and functions without invocations cost nothing. */
export function idlePerMonth(): number {
  return part("receives", (IDLE_POLLERS * MONTH_SECONDS) / IDLE_POLL_SECONDS, "sqsChunk").dollars;
}
