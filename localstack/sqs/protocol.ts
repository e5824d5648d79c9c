import type { QueueModel } from "../template/model.ts";

/** What the parent sends to the SQS process: once at the start, and to end it. */
export type ToChild =
  | { kind: "start"; dataDir: string; port: number; region: string; queues: QueueModel[]; releaseInFlight: boolean }
  | { kind: "stop" };

/** What the SQS process answers. */
export type FromChild =
  | { kind: "ready"; port: number; notes: string[] }
  | { kind: "failed"; code: string | undefined; message: string };
