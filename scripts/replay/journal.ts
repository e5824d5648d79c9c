import { existsSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import * as z from "zod";
import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import {
  applyLine,
  type JournalLine,
  type JournalState,
  journalLine,
  newState,
  type ReplayOptions,
  type TakenLetter,
} from "./journal-lines.ts";
import { lockJournal } from "./lock.ts";

export type Journal = Pick<JournalState, "start" | "letters" | "held" | "events"> & {
  /** Whether an event came back since this run replayed it. */
  cameBack(key: string, replays: number): boolean;
  /** Letters that are hidden now; not awaited, like `gone`: a failure is told by the next line that is. */
  hold(letters: DeadLetter[]): void;
  /** Before a letter is sent: which of its events, and with which replay count. */
  take(letters: (Pick<TakenLetter, "keys" | "replays" | "split"> & { messageId: string })[]): Promise<void>;
  /** After it was sent. */
  sent(messageIds: string[]): Promise<void>;
  /** After what was not sent of it was put back as a letter. */
  parted(messageIds: string[]): Promise<void>;
  /** After it was deleted. */
  gone(messageIds: string[]): void;
  /** After all held letters were made visible. */
  released(): Promise<void>;
  close(): Promise<void>;
  /** Deletes it: the run is done. */
  finish(): Promise<void>;
};

/**
 * The journal of one replay: a file of lines that is written ahead of each step and flushed to disk, so that a replay
 * that was killed at any point can be finished: what was sent is only deleted, what was not is sent, and nothing is sent
 * with another count or beyond a limit. It holds no event, only hashes of their names. Opens the one that is there, or
 * starts one with these options.
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
  // A line that was cut off by a kill was not followed by its step.
  await file.truncate(found?.bytes ?? 0);
  const state = found?.state ?? newState({ at: new Date().toISOString(), options });

  let pending = "";
  let written: Promise<void> = Promise.resolve();
  /** One flush for all lines that were added while the one before was under way. */
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
    letters: state.letters,
    held: state.held,
    get events() {
      return state.events;
    },
    cameBack: (key, replays) => replays > (state.replayed.get(key) ?? Number.POSITIVE_INFINITY),
    hold(letters) {
      add({ hold: letters.map(({ messageId, receiptHandle }) => [messageId, receiptHandle]) }).catch(() => undefined);
    },
    gone(gone) {
      add({ gone }).catch(() => undefined);
    },
    take: (letters) =>
      add({ take: letters.map(({ messageId, keys, replays, split }) => ({ messageId, keys, replays, split })) }),
    sent: (sent) => add({ sent }),
    parted: (parted) => add({ parted }),
    released: () => add({ released: true }),
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

/** What an unfinished replay was started with; undefined where there is none. @throws Error for what is no journal */
export async function readStart(path: string): Promise<JournalState["start"] | undefined> {
  return (await readJournal(path))?.state.start;
}

/** Whose events were replayed is nobody else's business, hashed or not. */
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
