import { pluralize } from "../../cli/pluralize.ts";
import { createPlan } from "../../functions/replay/plan.ts";
import { toRow } from "../../functions/replay/dead-letter-row.ts";
import { exitCodes } from "../../cli/run-command.ts";
import { lostNote, missedNote, STOPPED_NOTE, unseenNote } from "../dead-letters/notes.ts";
import { countMessages, type Queue } from "../dead-letters/queue.ts";
import { readEdits } from "../dead-letters/read-edits.ts";
import { toLine } from "../dead-letters/render.ts";
import { scanDeadLetters } from "../dead-letters/scan.ts";
import type { ReplayOptions } from "./journal-lines.ts";
import { createUnmatchedCheck } from "./unmatched.ts";

/** Events that are shown. */
const SAMPLE = 10;

/** Counts the events that a replay would send now and shows the first; all messages are visible again afterwards. */
export async function runDry(queue: Queue, replay: ReplayOptions, signal: AbortSignal): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY, maxReplays } = replay;
  const edits = replay.edit === undefined ? undefined : await readEdits(replay.edit.file);
  const unmatched = createUnmatchedCheck(replay, edits);
  const plan = createPlan({ filter: replay, edits, maxReplays, limit, cameBack: () => false });
  const sample: string[] = [];
  let [all, events, messages, tooOften] = [0, 0, 0, 0];
  process.stderr.write(unseenNote(await countMessages(queue)));
  const { lost, missed } = await scanDeadLetters(
    queue,
    (message) => {
      unmatched.add(message);
      const { chosen, capped } = plan.add(message);
      all += message.events.length;
      events += chosen.length;
      messages += chosen.length > 0 ? 1 : 0;
      tooOften += capped;
      for (const { event } of chosen.slice(0, SAMPLE - sample.length)) sample.push(toLine(toRow(message, event)));
    },
    signal,
  );
  for (const line of sample) process.stdout.write(`${line}\n`);
  if (events > sample.length) process.stdout.write(`and ${events - sample.length} more\n`);
  process.stdout.write(
    `${missed > 0 ? "At least " : ""}${events} of ${pluralize(all, "event")} would be replayed, from ${pluralize(messages, "message")}\n`,
  );
  if (tooOften > 0) process.stdout.write(`${tooOften} would be skipped: replayed ${maxReplays} times or more\n`);
  if (signal.aborted) process.stderr.write(STOPPED_NOTE);
  if (lost > 0) process.stderr.write(lostNote(lost));
  if (missed > 0) process.stderr.write(missedNote(missed));
  if (!unmatched.report() || signal.aborted || lost > 0 || missed > 0) process.exitCode = exitCodes.incomplete;
}
