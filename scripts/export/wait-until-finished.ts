import { setTimeout as delay } from "node:timers/promises";
import type { Progress } from "../../cli/progress.ts";
import type { Export, ExportsApi } from "./exports-api.ts";

/** A step takes some 30 seconds; the first one often is the only one. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/** Asks for the progress of an export until it is finished, or until the signal. */
export async function waitUntilFinished(
  api: ExportsApi,
  id: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<Export> {
  let shown = 0;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const found = await api.read(id);
    progress.advance(found.rows - shown);
    shown = found.rows;
    if ((found.state !== "queued" && found.state !== "running") || signal.aborted) return found;
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}
