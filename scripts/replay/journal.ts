import { existsSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import * as z from "zod";
import type { DeadLetterMessage } from "../../functions/replay/dead-letter-message.ts";
import {
  applyLine,
  type JournalLine,
  type JournalState,
  journalLine,
  newState,
  type PlannedMessage,
  type ReplayOptions,
} from "./journal-lines.ts";
import { lockJournal } from "./lock.ts";

export type Journal = Pick<JournalState, "start" | "messages" | "held" | "events"> & {
  /** Tells whether an event came back since this run replayed it. */
  cameBack(key: string, replays: number): boolean;
  /** After messages were received. Like `deleted` it is not awaited: the next awaited line reports a failure. */
  received(messages: DeadLetterMessage[]): void;
  /** Before messages are sent: which of their events, and with which replay count. */
  planned(messages: PlannedMessage[]): Promise<void>;
  /** After messages were sent. */
  sent(messageIds: string[]): Promise<void>;
  /** After the events that were not chosen were sent to the dead-letter queue again. */
  remainderRequeued(messageIds: string[]): Promise<void>;
  /** After messages were deleted. */
  deleted(messageIds: string[]): void;
  /** After all held messages were made visible. */
  madeVisible(): Promise<void>;
  close(): Promise<void>;
  /** Deletes the journal of a replay that is done. */
  finish(): Promise<void>;
};

/**
 * Opens the journal of a replay, or starts one with these options. A line is flushed to disk before the step that it
 * announces, so a replay that was killed at any point can be finished within its limit and with the same counts. The
 * file holds no event, only hashes of names.
 * @throws Error that names the process that replays now, or a file that is no journal
 */
export async function openJournal(path: string, options: ReplayOptions): Promise<Journal> {
  const unlock = await lockJournal(path);
  try {
    return await openLocked(path, options, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function openLocked(path: string, options: ReplayOptions, unlock: () => Promise<void>): Promise<Journal> {
  const found = await readJournal(path);
  const file = await open(path, existsSync(path) ? "a" : "ax", OWNER_ONLY);
  // The step of a line that a kill cut off was never made.
  await file.truncate(found?.bytes ?? 0);
  const state = found?.state ?? newState({ at: new Date().toISOString(), options });

  let pending = "";
  let written: Promise<void> = Promise.resolve();
  /** Flushes together all lines that were added during the flush before. */
  const flush = async () => {
    if (pending === "") return;
    const text = pending;
    pending = "";
    await file.appendFile(text);
    await file.datasync();
  };
  const add = (line: JournalLine): Promise<void> => {
    applyLine(state, line);
    pending += `${JSON.stringify(line)}\n`;
    written = written.then(flush);
    return written;
  };
  const end = async () => {
    try {
      await written;
    } finally {
      await file.close();
    }
  };
  const close = async () => {
    try {
      await end();
    } finally {
      await unlock();
    }
  };
  if (found === undefined) await add({ start: state.start });

  return {
    start: state.start,
    messages: state.messages,
    held: state.held,
    get events() {
      return state.events;
    },
    cameBack: (key, replays) => replays > (state.replayed.get(key) ?? Number.POSITIVE_INFINITY),
    received(messages) {
      const received = messages.map(({ messageId, receiptHandle }): [string, string] => [messageId, receiptHandle]);
      add({ received }).catch(() => undefined);
    },
    deleted(deleted) {
      add({ deleted }).catch(() => undefined);
    },
    planned: (planned) => add({ planned }),
    sent: (sent) => add({ sent }),
    remainderRequeued: (remainderRequeued) => add({ remainderRequeued }),
    madeVisible: () => add({ madeVisible: true }),
    close,
    async finish() {
      try {
        await end();
        await rm(path);
      } finally {
        await unlock();
      }
    },
  };
}

/** The start of an unfinished replay; undefined when there is none. @throws Error when the file is no journal */
export async function readStart(path: string): Promise<JournalState["start"] | undefined> {
  return (await readJournal(path))?.state.start;
}

/** Even hashed names may be personal. */
const OWNER_ONLY = 0o600;

type Found = { state: JournalState; bytes: number };

async function readJournal(path: string): Promise<Found | undefined> {
  const text = existsSync(path) ? await readFile(path, "utf8") : "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole === "") return undefined;
  try {
    const [first, ...lines] = whole
      .split("\n")
      .slice(0, -1)
      .map((line) => journalLine.parse(JSON.parse(line)));
    if (first === undefined || !("start" in first)) throw new Error("it does not begin as one");
    const state = newState(first.start);
    for (const line of lines) applyLine(state, line);
    return { state, bytes: Buffer.byteLength(whole) };
  } catch (error) {
    const why =
      error instanceof z.ZodError || error instanceof SyntaxError ? "a line is damaged" : (error as Error).message;
    throw new Error(
      `${path} is no journal of a replay: ${why}. Forget it with --discard; what it replayed may then be replayed again.`,
      { cause: error },
    );
  }
}
