import { exitCodes } from "../command.ts";
import { readEdits } from "../dead-letters/edits.ts";
import {
  countLetters,
  type LetterQueue,
  lookAtLetters,
  lostNote,
  missedNote,
  unseenNote,
} from "../dead-letters/queue.ts";
import { counted, toLine, toRow } from "../dead-letters/render.ts";
import { choose } from "./choose.ts";
import type { ReplayOptions } from "./journal-lines.ts";
import { createCheck } from "./unmatched.ts";

/** Events that are shown. */
const SAMPLE = 10;

/** Counts what a replay would send now and shows the first of it; the letters are visible again afterwards. */
export async function runDry(queue: LetterQueue, replay: ReplayOptions, signal: AbortSignal): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY, maxReplays } = replay;
  const edits = replay.edit === undefined ? undefined : readEdits(replay.edit.file);
  const check = createCheck(replay, edits);
  const sample: string[] = [];
  let [all, events, letters, tooOften] = [0, 0, 0, 0];
  process.stderr.write(unseenNote(await countLetters(queue)));
  const { lost, missed } = await lookAtLetters(
    queue,
    (letter) => {
      check.see(letter);
      const { chosen, capped } = choose(letter, { filter: replay, edits, maxReplays, cameBack: () => false });
      const affordable = chosen.slice(0, limit - events);
      all += letter.events.length;
      events += affordable.length;
      letters += affordable.length > 0 ? 1 : 0;
      tooOften += capped;
      for (const { event } of affordable.slice(0, SAMPLE - sample.length)) sample.push(toLine(toRow(letter, event)));
    },
    signal,
  );
  for (const line of sample) process.stdout.write(`${line}\n`);
  if (events > sample.length) process.stdout.write(`and ${events - sample.length} more\n`);
  process.stdout.write(
    `${missed > 0 ? "At least " : ""}${events} of ${counted(all, "event")} would be replayed, from ${counted(letters, "dead letter")}\n`,
  );
  if (tooOften > 0) process.stdout.write(`${tooOften} would be skipped: replayed ${maxReplays} times or more\n`);
  if (signal.aborted) process.stderr.write("Stopped before all letters were read; all of them are visible again\n");
  if (lost > 0) process.stderr.write(lostNote(lost));
  if (missed > 0) process.stderr.write(missedNote(missed));
  if (!check.tell() || signal.aborted || lost > 0 || missed > 0) process.exitCode = exitCodes.incomplete;
}
