import { type BillLine, GIGABYTE, line } from "./bill.ts";
import { part } from "./bill-part.ts";

/**
 * EventBridge takes events and stores none; the bill follows from its published units. It counts one event for each 64 KB.
 * @see https://aws.amazon.com/eventbridge/pricing/
 */
export function eventBridgeBill({ eventBytes }: { eventBytes: number }): BillLine[] {
  const events = 1e6 * Math.ceil(eventBytes / EVENTBRIDGE_CHUNK_BYTES);
  return [line("EventBridge", [part("events", events, "eventBridgeChunk")])];
}

/**
 * Firehose into S3 rounds each record up to 5 KB. With `eventsPerRecord` the client packs up to so many events into one
 * record, which the readers of S3 must split again.
 * @see https://aws.amazon.com/kinesis/data-firehose/pricing/
 */
export function firehoseBill({
  eventBytes,
  eventsPerRecord = 1,
}: {
  eventBytes: number;
  eventsPerRecord?: number;
}): BillLine[] {
  const packed = Math.max(1, Math.min(eventsPerRecord, Math.floor(FIREHOSE_RECORD_MAX_BYTES / eventBytes)));
  const recordBytes = Math.ceil((packed * eventBytes) / FIREHOSE_ROUNDING_BYTES) * FIREHOSE_ROUNDING_BYTES;
  return [line("Firehose", [part("GB", ((1e6 / packed) * recordBytes) / GIGABYTE, "firehoseGigabyte")])];
}

const EVENTBRIDGE_CHUNK_BYTES = 64 * 1024;
const FIREHOSE_ROUNDING_BYTES = 5 * 1024;
/** @see https://docs.aws.amazon.com/firehose/latest/dev/limits.html */
const FIREHOSE_RECORD_MAX_BYTES = 1000 * 1024;
