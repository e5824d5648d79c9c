import { EMPTY_RECEIVE } from "../pipeline/count-queue.ts";
import type { PipelineKind } from "../pipeline/pipeline.ts";
import type { FunctionRole, Invocations, Operations } from "../pipeline/operations.ts";
import {
  IO_BYTES,
  MINIMUM_ACU,
  OTHER_LOG_BYTES,
  PROCESSORS_PER_ACU,
  TRACED_PER_SECOND,
  TRACED_SHARE,
  WHOLE_PROCESSOR_MEGABYTES,
} from "./assumptions.ts";
import { type BillPart, part } from "./bill-part.ts";
import { prices } from "./prices.ts";
import { SNAPSHOT_SECONDS, snapshotUnits, snapshotWrites } from "./snapshots.ts";

/** The billable work of one run. */
export type Measured = {
  events: number;
  requests: number;
  /** Bytes of the heads and bodies of all answers. */
  responseBytes: number;
  walBytes: number;
  /** The number of times PostgreSQL wrote its WAL out. */
  walWrites: number;
  databaseProcessorSeconds: number;
  /** Processor time of each function's processes; undefined on platforms that do not report it. */
  functionProcessorSeconds: Record<FunctionRole, number | undefined>;
  /** The most memory that one process of each function has had since it began; undefined as above. */
  functionPeakMegabytes: Record<FunctionRole, number | undefined>;
  operations: Operations;
};

/** One component of the bill, for a million events. */
export type BillLine = {
  component: Component;
  dollars: number;
  /** False if one of its prices could not be confirmed. */
  confirmed: boolean;
  parts: BillPart[];
};

export type Component =
  | "API Gateway"
  | "Ingest Lambda"
  | "SQS"
  | "Consumer Lambda"
  | "Data API"
  | "DynamoDB"
  | "S3"
  | "Export Lambda"
  | "Aurora ACU"
  | "Aurora I/O"
  | "Logs"
  | "Traces"
  | "Data out"
  | "EventBridge"
  | "Firehose";

/** Computes the bill of a million events at a rate from the measurements of one run. */
export function bill(measured: Measured, { rate, kind = "ours" }: { rate: number; kind?: PipelineKind }): BillLine[] {
  const { events, requests, responseBytes, walBytes, walWrites, databaseProcessorSeconds, operations } = measured;
  const million = (count: number) => (count * 1e6) / events;
  const seconds = 1e6 / rate;
  const acuSeconds = Math.max(million(databaseProcessorSeconds) / PROCESSORS_PER_ACU, MINIMUM_ACU * seconds);
  const invocations = operations.functions.ingest.invocations + operations.functions.consume.invocations;
  const other = OTHER_LOG_BYTES[kind];
  const logBytes = operations.logBytes + other.invocation * invocations + other.request * requests;
  const requestRate = million(requests) / seconds;
  // The naive pattern has no ledger. The events of a run are those of one tenant.
  const snapshots = kind === "ours" ? seconds / SNAPSHOT_SECONDS : 0;
  const traced = Math.min(requestRate, TRACED_PER_SECOND + TRACED_SHARE * (requestRate - TRACED_PER_SECOND)) * seconds;

  return [
    line("API Gateway", [part("requests", million(requests), "restApiRequest")]),
    functionLine("ingest", measured, million),
    line("SQS", queueParts(operations, million)),
    functionLine("consume", measured, million),
    line("Data API", [
      part("units of 32 KB", million(operations.dataApi.units), "dataApiUnit"),
      ...(snapshots > 0 ? [part("units of snapshots", snapshots * snapshotUnits(1), "dataApiUnit")] : []),
    ]),
    line("DynamoDB", [
      part("reads", million(operations.dynamodb.reads), "dynamodbRead"),
      part("writes", million(operations.dynamodb.writes), "dynamodbWrite"),
      ...(snapshots > 0 ? [part("writes of snapshots", snapshots * snapshotWrites(1), "dynamodbWrite")] : []),
    ]),
    line("Aurora ACU", [part("ACU-hours", acuSeconds / 3600, "acuHour")]),
    line("Aurora I/O", [part("writes", million(Math.max(walBytes / IO_BYTES, walWrites)), "auroraIo")]),
    line("Logs", [part("GB", million(logBytes) / GIGABYTE, "logGigabyte")]),
    line("Traces", [part("traces", traced, "trace")]),
    line("Data out", [part("GB", million(responseBytes) / GIGABYTE, "gigabyteOut")]),
  ];
}

export function total(lines: readonly BillLine[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

export function line(component: Component, parts: BillPart[]): BillLine {
  return {
    component,
    dollars: parts.reduce((sum, { dollars }) => sum + dollars, 0),
    confirmed: parts.every(({ price }) => prices[price].confirmed),
    parts,
  };
}

/** AWS bills by GB of 2^30 bytes. */
export const GIGABYTE = 2 ** 30;

function functionLine(role: FunctionRole, measured: Measured, million: (count: number) => number): BillLine {
  const ran = measured.operations.functions[role];
  const gigabytes = gigabyteSeconds(ran, measured.functionProcessorSeconds[role]);
  return line(role === "ingest" ? "Ingest Lambda" : "Consumer Lambda", [
    part("invocations", million(ran.invocations), "lambdaRequest"),
    part("GB-seconds", million(gigabytes), "lambdaArmGigabyteSecond"),
  ]);
}

/** Counts the whole duration as computing where the processor time is unknown. */
function gigabyteSeconds({ milliseconds, memoryMegabytes }: Invocations, processorSeconds = Infinity): number {
  const seconds = milliseconds / 1000;
  const computing = Math.min(processorSeconds, seconds);
  const slower = Math.max(1, WHOLE_PROCESSOR_MEGABYTES / memoryMegabytes);
  return (seconds - computing + computing * slower) * (memoryMegabytes / 1024);
}

function queueParts({ queue }: Operations, million: (count: number) => number): BillPart[] {
  const grouped = Object.values(queue).reduce((sum, { groupedChunks }) => sum + groupedChunks, 0);
  return [
    ...Object.entries(queue).map(([action, { chunks }]) => part(NAMES[action] ?? action, million(chunks), "sqsChunk")),
    ...(grouped > 0 ? [part("sends with a message group", million(grouped), "sqsGroupedChunk")] : []),
  ];
}

const NAMES: Record<string, string> = {
  SendMessage: "sends",
  SendMessageBatch: "sends",
  ReceiveMessage: "receives",
  [EMPTY_RECEIVE]: "receives without messages",
  DeleteMessage: "deletes",
  DeleteMessageBatch: "deletes",
};
