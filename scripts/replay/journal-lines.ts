import * as z from "zod";

/** The options that decide which events a replay sends; kept so that it is finished as it was begun. */
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
  /** The file of corrected events and the hash of its content. */
  edit: z.strictObject({ file: z.string(), sha256: z.string() }).optional(),
  /** URL of the queue that the events are sent to, if not the stack's own. */
  to: z.string().optional(),
  /** The options as the user wrote them, to be shown and compared. */
  flags: z.string(),
});

export type ReplayOptions = z.output<typeof replayOptions>;

const planned = z.strictObject({
  messageId: z.string(),
  keys: z.array(z.string()),
  /** Replay count of the dead-letter message; -1 when the count does not fit into the message that is sent. */
  replays: z.int(),
  /** Some events of the message are not replayed. */
  split: z.boolean(),
});

/** A line of the journal. The functions of `Journal` say before or after which step each is written. */
export const journalLine = z.union([
  z.strictObject({ start: z.strictObject({ at: z.string(), options: replayOptions }) }),
  z.strictObject({ received: z.array(z.tuple([z.string(), z.string()])) }),
  z.strictObject({ planned: z.array(planned) }),
  z.strictObject({ sent: z.array(z.string()) }),
  z.strictObject({ remainderRequeued: z.array(z.string()) }),
  z.strictObject({ deleted: z.array(z.string()) }),
  z.strictObject({ madeVisible: z.literal(true) }),
]);

export type JournalLine = z.output<typeof journalLine>;

/** The steps done after planning. */
export type Steps = { sent: boolean; remainderRequeued: boolean; deleted: boolean };

export type PlannedMessage = z.output<typeof planned>;

export type JournalState = {
  start: { at: string; options: ReplayOptions };
  messages: Map<string, Omit<PlannedMessage, "messageId"> & Steps>;
  /** Receipt handles of the messages that this run hides. */
  held: Map<string, string>;
  /** Events planned so far; a limit counts them, because after a kill it is unknown whether they were sent. */
  events: number;
  /** Replay count with which an event was planned, by its key. */
  replayed: Map<string, number>;
};

export function newState(start: JournalState["start"]): JournalState {
  return { start, messages: new Map(), held: new Map(), events: 0, replayed: new Map() };
}

export function applyLine(state: JournalState, line: JournalLine): void {
  if ("received" in line) for (const [messageId, handle] of line.received) state.held.set(messageId, handle);
  else if ("madeVisible" in line) state.held.clear();
  else if ("planned" in line) for (const message of line.planned) plan(state, message);
  else if ("sent" in line) for (const messageId of line.sent) mark(state, messageId, "sent");
  else if ("remainderRequeued" in line)
    for (const messageId of line.remainderRequeued) mark(state, messageId, "remainderRequeued");
  else if ("deleted" in line)
    for (const messageId of line.deleted) {
      mark(state, messageId, "deleted");
      state.held.delete(messageId);
    }
}

function plan(state: JournalState, { messageId, ...message }: PlannedMessage): void {
  state.messages.set(messageId, { ...message, sent: false, remainderRequeued: false, deleted: false });
  state.events += message.keys.length;
  for (const key of message.keys) state.replayed.set(key, message.replays);
}

function mark(state: JournalState, messageId: string, step: keyof Steps): void {
  const message = state.messages.get(messageId);
  if (message !== undefined) message[step] = true;
}
