import type { QueueModel } from "../template/model.ts";

/** The messages to the SQS process: one at the start, one to end it. */
export type ToChild =
  | { kind: "start"; dataDir: string; port: number; region: string; queues: QueueModel[]; releaseInFlight: boolean }
  | { kind: "stop" };

/** The answers of the SQS process. */
export type FromChild =
  | { kind: "ready"; port: number; notes: string[] }
  | { kind: "failed"; code: string | undefined; message: string };
