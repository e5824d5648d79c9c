import { setTimeout as delay } from "node:timers/promises";
import { startProgress } from "../../cli/progress.ts";
import { exitCodes } from "../../cli/run-command.ts";
import { print, printJson, printRows } from "../access/output.ts";
import { deliveryTable } from "./render.ts";
import type { Retry, RetryPlan, SubscriptionsApi } from "./subscriptions-api.ts";

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 3_000;

/** Shows the progress of a retry until it has ended, or until the signal. @returns the retry as it is then */
export async function watchRetry(api: SubscriptionsApi, started: Retry, signal: AbortSignal): Promise<Retry> {
  const progress = startProgress(started.planned, "deliveries");
  let found = started;
  let shown = 0;
  try {
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      found = await api.readRetry(started.subscriptionId, started.id);
      const ended = found.delivered + found.failed;
      progress.advance(ended - shown);
      shown = ended;
      if (found.state !== "running") return found;
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
    return found;
  } finally {
    progress.stop();
  }
}

/** Prints the number of a plan, and some of its deliveries. */
export function printRetryPlan(plan: RetryPlan, { json }: { json: true | undefined }): void {
  if (json) return printJson(plan);
  printRows(plan.sample, { json: undefined, ...deliveryTable });
  print(`${deliveries(plan.planned)} would be sent again`);
}

/** Prints a retry, and sets the exit code. @param again the command that shows it later */
export function printRetry(retry: Retry, { json, again }: { json: true | undefined; again: string }): void {
  const { id, state, taken, delivered, failed } = retry;
  if (state !== "done" || failed > 0) process.exitCode = exitCodes.incomplete;
  if (json) return printJson(retry);
  print(
    `${deliveries(taken)} sent again: ${delivered} delivered, ${failed} failed, ${taken - delivered - failed} not ended yet`,
  );
  if (state === "cancelled") print(`The retry ${id} was cancelled; what it had not taken stays failed`);
  if (state === "running") process.stderr.write(`The retry ${id} goes on without this command. ${again}\n`);
}

const deliveries = (count: number) => (count === 1 ? "1 delivery" : `${count} deliveries`);
