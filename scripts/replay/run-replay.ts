import { pluralize } from "../../cli/pluralize.ts";
import { printable } from "../../cli/printable.ts";
import type { DeadLetterMessage } from "../../functions/replay/dead-letter-message.ts";
import { toRow } from "../../functions/replay/dead-letter-row.ts";
import { exitCodes } from "../../cli/run-command.ts";
import { lostNote, missedNote, unseenNote } from "../dead-letters/notes.ts";
import { countMessages, type Queue, queueArn } from "../dead-letters/queue.ts";
import { readEdits } from "../dead-letters/read-edits.ts";
import { toLine } from "../dead-letters/render.ts";
import { startProgress } from "../../cli/progress.ts";
import type { StackAddress } from "../stack-address.ts";
import type { ReplayOptions } from "./journal-lines.ts";
import { type Journal, openJournal } from "./journal.ts";
import { type CommandOptions, refuseChangedEdits, toReplayOptions } from "./options.ts";
import { replayDeadLetters, type Tally } from "./replay-dead-letters.ts";
import { howToFinish } from "./unfinished.ts";
import { createUnmatchedCheck } from "./unmatched.ts";

type Context = {
  address: StackAddress;
  options: CommandOptions;
  signal: AbortSignal;
  /** The options of the unfinished replay, if there is one. */
  unfinished: ReplayOptions | undefined;
};

/** Replays message by message and reports the result. @throws Error that ended the replay, with how to continue */
export async function runReplay(queue: Queue, { address, options, signal, unfinished }: Context): Promise<void> {
  const replay = unfinished ?? toReplayOptions(options, Date.now());
  if (replay.to !== undefined && (await queueArn({ ...queue, url: replay.to })) === (await queueArn(queue)))
    throw new Error("--to-queue names the dead-letter queue itself.");
  refuseChangedEdits(replay);
  const edits = replay.edit === undefined ? undefined : await readEdits(replay.edit.file);
  const counts = await countMessages(queue);

  const journal = await openJournal(address.journal, replay);
  const before = [...journal.messages.values()].reduce((sum, { sent, keys }) => sum + (sent ? keys.length : 0), 0);
  if (unfinished !== undefined)
    process.stderr.write(
      `Continues the replay of ${journal.start.at}, which has replayed ${pluralize(before, "event")}\n`,
    );
  // The messages that an interrupted replay hides are known, so they are readable here.
  const visible = counts.visible + journal.held.size;
  process.stderr.write(unseenNote({ visible, hidden: counts.hidden - journal.held.size }));
  const unmatched = createUnmatchedCheck(replay, edits);
  const progress = startProgress(visible, "messages");
  // A replay that planned nothing leaves no journal.
  const hasBegun = () => unfinished !== undefined || journal.messages.size > 0;
  let tally: Tally;
  try {
    tally = await replayDeadLetters({
      queue,
      edits,
      journal,
      signal,
      progress,
      filter: replay,
      maxReplays: replay.maxReplays,
      limit: replay.limit,
      to: replay.to ?? address.queueUrl,
      rate: options.rate,
      onMessage: unmatched.add,
      onFailure: (message, why) => process.stderr.write(`${describe(message)} was not replayed: ${printable(why)}\n`),
    });
  } catch (error) {
    // The first error is the one to report, even if the journal cannot be closed.
    await closeJournal(journal, options, hasBegun()).catch(() => undefined);
    throw error;
  } finally {
    progress.stop();
  }

  report(tally, before, replay.maxReplays);
  const reachedLimit = replay.limit !== undefined && journal.events >= replay.limit;
  // Once the limit is reached, only messages that were planned still matter.
  const wantsMore = !reachedLimit || [...journal.messages.values()].some(({ deleted }) => !deleted);
  const missed = wantsMore ? tally.missed : 0;
  if (missed > 0) process.stderr.write(missedNote(missed, hasBegun() ? "--resume" : "this"));
  await closeJournal(journal, options, hasBegun() && (signal.aborted || tally.left > 0 || missed > 0));
  // A resumed replay cannot say which ids were missing at its start.
  const allFound = unfinished !== undefined || signal.aborted || reachedLimit || unmatched.report();
  if (tally.lost > 0) process.stderr.write(lostNote(tally.lost));
  if (signal.aborted || tally.left > 0 || tally.failed > 0 || tally.lost > 0 || missed > 0 || !allFound)
    process.exitCode = exitCodes.incomplete;
}

/** Keeps the journal of an unfinished replay and says how to finish it; deletes any other journal. */
async function closeJournal(journal: Journal, options: CommandOptions, isUnfinished: boolean): Promise<void> {
  if (!isUnfinished) return journal.finish();
  process.stderr.write(`The replay is unfinished. ${howToFinish(options)}\n`);
  await journal.close();
}

function report({ replayed, failed, capped, returned }: Tally, before: number, maxReplays: number): void {
  const lines = [
    `${pluralize(replayed + before, "event")} replayed${before > 0 ? `, ${before} of them before it was interrupted` : ""}`,
    failed > 0 ? `${failed} failed` : "",
    capped > 0 ? `${capped} skipped: replayed ${maxReplays} times or more; --max-replays raises that` : "",
    returned > 0 ? `${returned} came back during the replay: refused again, and left for another replay` : "",
  ];
  for (const line of lines) if (line !== "") process.stdout.write(`${line}\n`);
}

function describe(message: DeadLetterMessage): string {
  const [first] = message.events;
  const more = message.events.length > 1 ? ` (and ${message.events.length - 1} more)` : "";
  return first === undefined ? message.messageId : `${toLine(toRow(message, first))}${more}`;
}
