import * as z from "zod";

/** What decides which events a replay takes; kept so that it is finished as it was begun. */
const replayOptions = z.strictObject({
  reason: z.array(z.string()),
  type: z.array(z.string()),
  source: z.array(z.string()),
  tenant: z.array(z.string()),
  id: z.array(z.string()),
  receivedBefore: z.string().optional(),
  receivedAfter: z.string().optional(),
  limit: z.int().optional(),
  maxReplays: z.int(),
  /** The file of corrected events and the hash of what stood in it. */
  edit: z.strictObject({ file: z.string(), sha256: z.string() }).optional(),
  /** URL of the queue the events go to, where it is not the stack's own. */
  to: z.string().optional(),
  /** As it was asked for, to be shown and compared. */
  flags: z.string(),
});

export type ReplayOptions = z.output<typeof replayOptions>;

const taken = z.strictObject({
  messageId: z.string(),
  keys: z.array(z.string()),
  /** Replay count of the letter; -1 where the count does not fit into what is sent. */
  replays: z.int(),
  /** Some events of the letter are not taken. */
  split: z.boolean(),
});

/** A line of the journal; which step each is written before or after, the journal's functions say. */
export const journalLine = z.union([
  z.strictObject({ start: z.strictObject({ at: z.string(), options: replayOptions }) }),
  z.strictObject({ hold: z.array(z.tuple([z.string(), z.string()])) }),
  z.strictObject({ take: z.array(taken) }),
  z.strictObject({ sent: z.array(z.string()) }),
  z.strictObject({ parted: z.array(z.string()) }),
  z.strictObject({ gone: z.array(z.string()) }),
  z.strictObject({ released: z.literal(true) }),
]);

export type JournalLine = z.output<typeof journalLine>;

/** How far a replay came with a letter. */
export type TakenLetter = Omit<z.output<typeof taken>, "messageId"> & { sent: boolean; parted: boolean; gone: boolean };

export type JournalState = {
  start: { at: string; options: ReplayOptions };
  letters: Map<string, TakenLetter>;
  /** Receipt handles of letters that this run has hidden. */
  held: Map<string, string>;
  /** Events taken so far; a limit counts them, because a kill leaves open whether they were sent. */
  events: number;
  /** Replay count with which an event was taken, by its key. */
  replayed: Map<string, number>;
};

export function newState(start: JournalState["start"]): JournalState {
  return { start, letters: new Map(), held: new Map(), events: 0, replayed: new Map() };
}

export function applyLine(state: JournalState, line: JournalLine): void {
  if ("hold" in line) for (const [messageId, handle] of line.hold) state.held.set(messageId, handle);
  else if ("released" in line) state.held.clear();
  else if ("take" in line) for (const letter of line.take) take(state, letter);
  else if ("sent" in line) for (const messageId of line.sent) mark(state, messageId, "sent");
  else if ("parted" in line) for (const messageId of line.parted) mark(state, messageId, "parted");
  else if ("gone" in line)
    for (const messageId of line.gone) {
      mark(state, messageId, "gone");
      state.held.delete(messageId);
    }
}

function take(state: JournalState, { messageId, ...letter }: z.output<typeof taken>): void {
  state.letters.set(messageId, { ...letter, sent: false, parted: false, gone: false });
  state.events += letter.keys.length;
  for (const key of letter.keys) state.replayed.set(key, letter.replays);
}

function mark(state: JournalState, messageId: string, step: "sent" | "parted" | "gone"): void {
  const letter = state.letters.get(messageId);
  if (letter !== undefined) letter[step] = true;
}
