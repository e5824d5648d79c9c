import { exitCodes } from "../command.ts";
import { readEdits } from "../dead-letters/edits.ts";
import { countLetters, type LetterQueue, lostNote, missedNote, queueArn, unseenNote } from "../dead-letters/queue.ts";
import { counted, printable, toLine, toRow } from "../dead-letters/render.ts";
import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import { startProgress } from "../progress.ts";
import type { Target } from "../stack-address.ts";
import type { ReplayOptions } from "./journal-lines.ts";
import { type Journal, openJournal } from "./journal.ts";
import { type CommandOptions, refuseChangedEdits, toReplayOptions } from "./options.ts";
import { replayLetters, type Tally } from "./replay-messages.ts";
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
  if (replay.to !== undefined && (await queueArn({ ...queue, url: replay.to })) === (await queueArn(queue)))
    throw new Error("--to names the dead-letter queue itself.");
  refuseChangedEdits(replay);
  const edits = replay.edit === undefined ? undefined : readEdits(replay.edit.file);
  const counts = await countLetters(queue);

  const journal = await openJournal(target.journal, replay);
  const before = [...journal.letters.values()].reduce((sum, { sent, keys }) => sum + (sent ? keys.length : 0), 0);
  if (unfinished !== undefined)
    process.stderr.write(
      `Goes on with the replay of ${journal.start.at}, which has replayed ${counted(before, "event")}\n`,
    );
  // What an interrupted replay had in hand is hidden and known.
  const visible = counts.visible + journal.held.size;
  process.stderr.write(unseenNote({ visible, hidden: counts.hidden - journal.held.size }));
  const check = createCheck(replay, edits);
  const progress = startProgress(visible, "dead letters");
  // One that has taken nothing leaves nothing.
  const begun = () => unfinished !== undefined || journal.letters.size > 0;
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
    // What ended it is told, whatever else fails then.
    await leave(journal, options, begun()).catch(() => undefined);
    throw error;
  } finally {
    progress.stop();
  }

  report(tally, before, replay.maxReplays);
  const reachedLimit = replay.limit !== undefined && journal.events >= replay.limit;
  // Beyond its limit a replay wants no letter but those that it has taken.
  const wantsMore = !reachedLimit || [...journal.letters.values()].some(({ gone }) => !gone);
  const missed = wantsMore ? tally.missed : 0;
  if (missed > 0) process.stderr.write(missedNote(missed, begun() ? "--resume" : "this"));
  await leave(journal, options, begun() && (signal.aborted || tally.left > 0 || missed > 0));
  // Of a replay that was interrupted nobody knows any more what was there at its beginning.
  const known = unfinished !== undefined || signal.aborted || reachedLimit || check.tell();
  if (tally.lost > 0) process.stderr.write(lostNote(tally.lost));
  if (signal.aborted || tally.left > 0 || tally.failed > 0 || tally.lost > 0 || missed > 0 || !known)
    process.exitCode = exitCodes.incomplete;
}

/** Keeps the journal of a replay that is to be finished, and says how. */
async function leave(journal: Journal, options: CommandOptions, unfinished: boolean): Promise<void> {
  if (!unfinished) return journal.finish();
  process.stderr.write(`The replay is unfinished. ${howToGoOn(options)}\n`);
  await journal.close();
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
