import { composeIngest } from "../../functions/ingest/compose.ts";
import { confirmSlowly } from "./stub-queue.ts";

/** The ingest function with a queue that takes the time of a call. */
export const handler = composeIngest({ sendBatch: confirmSlowly, connect: () => Promise.resolve() });
