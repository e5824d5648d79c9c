import { setTimeout as delay } from "node:timers/promises";
import { pluralize } from "../../cli/pluralize.ts";
import { startProgress } from "../../cli/progress.ts";
import { exitCodes } from "../../cli/run-command.ts";
import { print, printJson } from "../access/output.ts";
import type { Replay, ReplayPlan, ReplaysApi } from "./replays-api.ts";
import { toLine } from "../dead-letters/render.ts";

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 3_000;

/** Most events are stored within seconds; a command does not wait for the others. */
const OUTCOMES_MS = 10_000;

/**
 * Shows the progress of a job until it has ended and the outcomes are known, or until the signal.
 * @returns the job as it is then
 */
export async function watch(api: ReplaysApi, started: Replay, signal: AbortSignal): Promise<Replay> {
  const progress = startProgress(started.planned, "events");
  let found = started;
  let shown = 0;
  let endedAt: number | undefined;
  try {
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      found = await api.read(started.id);
      progress.advance(found.sent - shown);
      shown = found.sent;
      if (found.state !== "running") {
        endedAt ??= Date.now();
        if (!hasUnknownOutcomes(found) || Date.now() - endedAt > OUTCOMES_MS) return found;
      }
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
    return found;
  } finally {
    progress.stop();
  }
}

const hasUnknownOutcomes = ({ action, request, sent, stored, deadLettered }: Replay): boolean =>
  action === "replay" && request?.to === undefined && stored + deadLettered < sent;

/** Prints a plan: its number, and the oldest of its dead letters. */
export function printPlan(plan: ReplayPlan, { json, done }: { json: true | undefined; done: string }): void {
  if (json) return printJson(plan);
  for (const row of plan.sample) print(toLine(row));
  if (plan.planned > plan.sample.length) print(`and ${plan.planned - plan.sample.length} more`);
  print(`${pluralize(plan.planned, "event")} would be ${done}`);
}

/** Prints a job that has ended, and sets the exit code. @param again the words with which a command names the job */
export function printReplay(job: Replay, { json, again }: { json: true | undefined; again: string }): void {
  if (job.state !== "done") process.exitCode = exitCodes.incomplete;
  if (json) return printJson(job);
  const { action, state, sent, stored, deadLettered, detail } = job;
  if (state === "running") {
    const rest = job.cancelling ? "ends when what it took is sent" : "goes on without this command";
    process.stderr.write(`The ${action} ${job.id} ${rest}. ${again}\n`);
    return;
  }
  const end = state === "done" ? "" : `, and the ${action} ${state === "failed" ? "failed" : "was cancelled"}`;
  print(`${pluralize(sent, "event")} ${action === "discard" ? "discarded" : "replayed"}${end}`);
  if (action === "replay" && job.request?.to === undefined && sent > 0) {
    const unknown = sent - stored - deadLettered;
    print(`${stored} stored, ${deadLettered} came back${unknown > 0 ? `, ${unknown} not known yet` : ""}`);
  }
  if (detail !== undefined) print(detail);
}
