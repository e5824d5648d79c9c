import { composeIngest } from "../../functions/ingest/compose.ts";
import { NO_REFUSALS } from "../../functions/ingest/refusals.ts";
import { confirmSlowly } from "./stub-queue.ts";

/** The ingest function without the gatherer of refusals. What it is faster is the price of gathering. */
export const handler = composeIngest(
  { sendBatch: confirmSlowly, connect: () => Promise.resolve() },
  { refusals: NO_REFUSALS },
);
