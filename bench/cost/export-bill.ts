import { gzipSync } from "node:zlib";
import {
  EXPORT_KEPT_DAYS,
  EXPORT_PAGE_EVENTS,
  EXPORT_PART_MAX_BYTES,
  EXPORT_PIECE_BYTES,
} from "../../functions/core/export-limits.ts";
import { LIST_PAGE_MAX_BYTES } from "../../functions/core/list-limits.ts";
import { createEventMaker } from "../pipeline/events.ts";
import { EXPORT_PAGE_SECONDS, EXPORT_PAGES_PER_STEP } from "./assumptions.ts";
import { type BillLine, GIGABYTE, line } from "./bill.ts";
import { part } from "./bill-part.ts";
import { MONTH_SECONDS } from "./prices.ts";

/** Memory of each function (lib/sluice-function.ts). */
const FUNCTION_GIGABYTES = 0.5;
const DATA_API_UNIT_BYTES = 32 * 1024;
const SAMPLE_EVENTS = 1_000;
/** An item of a job, whose list of parts grows: 150 B a part. */
const JOB_BYTES = 1_024;
const PART_ENTRY_BYTES = 150;

/** The bill of an export of a million events, from the limits of exports and the published units. */
export function exportBill({ eventBytes }: { eventBytes: number }): BillLine[] {
  const bytes = 1e6 * eventBytes;
  const compressed = bytes * compressionOf(eventBytes);
  // The page's size counts the quotes of JSON twice, as the Data API sends them.
  const pages = Math.ceil(Math.max(1e6 / EXPORT_PAGE_EVENTS, (bytes * ESCAPED) / LIST_PAGE_MAX_BYTES));
  const steps = Math.ceil(Math.max(pages / EXPORT_PAGES_PER_STEP, compressed / EXPORT_PART_MAX_BYTES));
  // A step takes its job and counts its part; the last one finishes it.
  const jobWrites = Array.from(
    { length: steps },
    (_, number) => 2 * Math.ceil((JOB_BYTES + number * PART_ENTRY_BYTES) / 1_024),
  );
  // An upload is begun and completed beside its pieces; the manifest is one more.
  const puts = Math.ceil(compressed / EXPORT_PIECE_BYTES) + 2 * steps + 3;
  return [
    line("Data API", [part("units of 32 KB", (bytes * ESCAPED) / DATA_API_UNIT_BYTES + pages, "dataApiUnit")]),
    line("Export Lambda", [
      part("invocations", steps, "lambdaRequest"),
      part("GB-seconds", pages * EXPORT_PAGE_SECONDS * FUNCTION_GIGABYTES, "lambdaArmGigabyteSecond"),
    ]),
    line("SQS", [part("sends, receives and deletes", 3 * steps, "sqsChunk")]),
    line("DynamoDB", [
      part(
        "writes",
        jobWrites.reduce((sum, units) => sum + units, 0),
        "dynamodbWrite",
      ),
      part("reads", steps, "dynamodbRead"),
    ]),
    line("S3", [
      part("calls of uploads", puts, "s3Put"),
      part("GB-months", ((compressed / GIGABYTE) * EXPORT_KEPT_DAYS * 86_400) / MONTH_SECONDS, "s3GigabyteMonth"),
    ]),
    line("Data out", [part("GB", compressed / GIGABYTE, "gigabyteOut")]),
  ];
}

/** JSON within JSON: a backslash for each quote. */
const ESCAPED = 1.1;

/** The share of its size that gzip leaves of the benchmark's events, whose notes are random text. */
function compressionOf(eventBytes: number): number {
  // One maker has one random text, whose parts gzip would find again.
  const eventOf = (number: number) => createEventMaker(eventBytes, "https://bench.example.com/export")(0, number);
  const text = Buffer.from(Array.from({ length: SAMPLE_EVENTS }, (_, number) => eventOf(number)).join("\n"));
  return gzipSync(text).length / text.length;
}
