import { exitCodes } from "../command.ts";
import { readEdits } from "../letters/edits.ts";
import { countLetters, HIDDEN_SECONDS, type LetterQueue, lostNote } from "../letters/queue.ts";
import { counted, printable, toLine, toRow } from "../letters/render.ts";
import type { DeadLetter } from "../letters/letter.ts";
import { startProgress } from "../progress.ts";
import type { Target } from "../target.ts";
import type { ReplayOptions } from "./journal-lines.ts";
import { openJournal } from "./journal.ts";
import { type CommandOptions, refuseChangedEdits, toReplayOptions } from "./options.ts";
import { replayLetters, type Tally } from "./replay-letters.ts";
import { howToGoOn } from "./unfinished.ts";
import { createCheck } from "./unmatched.ts";

type Context = {
  target: Target;
  options: CommandOptions;
  signal: AbortSignal;
  /** The options of the replay that is to be finished. */
  unfinished: ReplayOptions | undefined;
};

/** Replays letter by letter and says what became of it. @throws Error of what ended it, with how to go on */
export async function runReplay(queue: LetterQueue, { target, options, signal, unfinished }: Context): Promise<void> {
  const replay = unfinished ?? toReplayOptions(options, Date.now());
  if (replay.to === target.deadLetterQueueUrl) throw new Error("--to names the dead-letter queue itself.");
  refuseChangedEdits(replay);
  const edits = replay.edit === undefined ? undefined : readEdits(replay.edit.file);
  const { visible, hidden } = await countLetters(queue);
  if (replay.to !== undefined) await countLetters({ ...queue, url: replay.to });

  const journal = await openJournal(target.journal, replay);
  const before = [...journal.letters.values()].reduce((sum, { sent, keys }) => sum + (sent ? keys.length : 0), 0);
  if (unfinished !== undefined)
    process.stderr.write(
      `Goes on with the replay of ${journal.start.at}, which has replayed ${counted(before, "event")}\n`,
    );
  else if (hidden > 0) process.stderr.write(hiddenNote(hidden));
  const check = createCheck(replay, edits);
  const progress = startProgress(visible, "dead letters");
  let tally: Tally;
  try {
    tally = await replayLetters({
      queue,
      edits,
      journal,
      signal,
      progress,
      filter: replay,
      maxReplays: replay.maxReplays,
      limit: replay.limit,
      to: replay.to ?? target.queueUrl,
      rate: options.rate,
      see: check.see,
      onFailure: (letter, why) => process.stderr.write(`${describe(letter)} was not replayed: ${printable(why)}\n`),
    });
  } catch (error) {
    await journal.close().catch(() => undefined);
    process.stderr.write(`The replay is unfinished. ${howToGoOn(options)}\n`);
    throw error;
  } finally {
    progress.stop();
  }

  const open = signal.aborted || tally.left > 0;
  if (open) await journal.close();
  else await journal.finish();
  report(tally, before, replay.maxReplays);
  // Of a replay that was interrupted nobody knows any more what was there at its beginning.
  const complete = unfinished !== undefined || open || tally.replayed >= (replay.limit ?? Infinity) || check.tell();
  if (open) process.stderr.write(`The replay is unfinished. ${howToGoOn(options)}\n`);
  if (tally.lost > 0) process.stderr.write(lostNote(tally.lost));
  if (open || !complete || tally.failed > 0 || tally.lost > 0) process.exitCode = exitCodes.incomplete;
}

function report({ replayed, failed, capped, returned }: Tally, before: number, maxReplays: number): void {
  const lines = [
    `${counted(replayed + before, "event")} replayed${before > 0 ? `, ${before} of them before it was interrupted` : ""}`,
    failed > 0 ? `${failed} failed` : "",
    capped > 0 ? `${capped} skipped: replayed ${maxReplays} times or more; --max-replays raises that` : "",
    returned > 0 ? `${returned} came back meanwhile: refused again, and left for another replay` : "",
  ];
  for (const line of lines) if (line !== "") process.stdout.write(`${line}\n`);
}

function describe(letter: DeadLetter): string {
  const [first] = letter.events;
  const more = letter.events.length > 1 ? ` (and ${letter.events.length - 1} more)` : "";
  return first === undefined ? letter.messageId : `${toLine(toRow(letter, first))}${more}`;
}

function hiddenNote(hidden: number): string {
  return `About ${counted(hidden, "letter")} more, hidden by another reader; they show again within ${HIDDEN_SECONDS / 60} minutes\n`;
}
