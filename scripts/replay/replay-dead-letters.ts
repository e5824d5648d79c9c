import type { OutgoingMessage } from "../../functions/core/queue-message.ts";
import type { ChosenEvent } from "../../functions/replay/choose.ts";
import { type DeadLetterEvent, type DeadLetterMessage, eventKey } from "../../functions/replay/dead-letter-message.ts";
import type { Edits } from "../../functions/replay/edits.ts";
import type { Filter } from "../../functions/replay/filter.ts";
import { remainder, someEvents, wholeMessage } from "../../functions/replay/outgoing.ts";
import { createPlan } from "../../functions/replay/plan.ts";
import { CONNECTIONS, deleteMessages, makeVisible, type Queue } from "../dead-letters/queue.ts";
import { receiveAll } from "../dead-letters/scan.ts";
import type { Progress } from "../../cli/progress.ts";
import type { Journal } from "./journal.ts";
import type { PlannedMessage, Steps } from "./journal-lines.ts";
import { createPace } from "./pace.ts";
import { sendMessages } from "./send-messages.ts";

export type ReplayRun = {
  queue: Queue;
  /** URL of the queue that the events are sent to. */
  to: string;
  filter: Filter;
  edits: Edits | undefined;
  maxReplays: number;
  /** Events, over the whole run. */
  limit: number | undefined;
  /** Events a second. */
  rate: number | undefined;
  journal: Journal;
  signal: AbortSignal;
  progress: Progress;
  /** Called for each message once. */
  onMessage: (message: DeadLetterMessage) => void;
  /** Called for a message that was not replayed, or not completely, with the reason. */
  onFailure: (message: DeadLetterMessage, why: string) => void;
};

export type Tally = {
  /** Events. */
  replayed: number;
  failed: number;
  capped: number;
  returned: number;
  /** Messages that were sent but not deleted. */
  left: number;
  /** Receive calls whose answer may be lost. */
  lost: number;
  /** Messages that another reader hid to the end. */
  missed: number;
};

/** The work on one message: the events that are sent, the events that stay, and the steps that are done. */
type Job = Pick<Steps, "sent" | "remainderRequeued"> & {
  message: DeadLetterMessage;
  chosen: ChosenEvent[];
  rest: DeadLetterEvent[];
};

/**
 * Sends the chosen events of the dead-letter queue to another queue, message by message: journal, send, journal, delete.
 * If only some events of a message are chosen, the others are requeued before it is deleted. Messages that stay are
 * visible again at the end.
 * @throws Error of a call that failed as a whole; the journal has the steps that were done
 */
export async function replayDeadLetters(run: ReplayRun): Promise<Tally> {
  const { queue, journal, progress, filter, edits, maxReplays, limit = Number.POSITIVE_INFINITY } = run;
  const tally: Tally = { replayed: 0, failed: 0, capped: 0, returned: 0, left: 0, lost: 0, missed: 0 };
  const pace = createPace(run.rate);
  const full = new AbortController();
  const signal = AbortSignal.any([run.signal, full.signal]);
  /** Receipt handles of the messages that are hidden and not deleted, by message id. */
  const handles = new Map<string, string>();
  const seen = new Set<string>();
  const unfinished = [...journal.messages.values()].some(({ deleted }) => !deleted);
  const cameBack = (key: string, replays: number) => journal.cameBack(key, replays);
  const plan = createPlan({ filter, edits, maxReplays, limit: limit - journal.events, cameBack });

  const toJobs = (message: DeadLetterMessage): Job[] => {
    const planned = journal.messages.get(message.messageId);
    if (planned !== undefined) return [continuedJob(message, planned, edits)];
    if (plan.isFull()) return [];
    const { chosen, capped, returned } = plan.add(message);
    tally.capped += capped;
    tally.returned += returned;
    return chosen.length === 0 ? [] : [toJob(message, chosen, { sent: false, remainderRequeued: false })];
  };

  const onPage = async (messages: DeadLetterMessage[]) => {
    for (const { messageId, receiptHandle } of messages) handles.set(messageId, receiptHandle);
    journal.received(messages);
    // A message that was seen before comes again when its visibility timeout ends during the run.
    const fresh = messages.filter(({ messageId }) => !seen.has(messageId) || journal.messages.get(messageId)?.deleted);
    const jobs = fresh.flatMap((message) => {
      if (!seen.has(message.messageId)) run.onMessage(message);
      seen.add(message.messageId);
      return toJobs(message);
    });
    pace.spend(jobs.reduce((events, { chosen }) => events + chosen.length, 0));
    if (plan.isFull() && !unfinished) full.abort();
    await finishJobs(jobs, run, { tally, handles });
    progress.advance(fresh.length);
  };

  await recover(run);
  try {
    const held = () => handles.size;
    const options = { signal, held, pace: () => pace.wait(signal), ...pageFor(run.rate) };
    const { lost, missed } = await receiveAll(queue, onPage, options);
    return { ...tally, lost, missed };
  } finally {
    await makeVisible(queue, handles.values());
    await journal.madeVisible();
  }
}

/** A page is sent at once, so a low rate reads few messages a call. */
function pageFor(rate = Number.POSITIVE_INFINITY): { pageSize: number; connections: number } {
  return { pageSize: Math.min(10, rate), connections: Math.min(CONNECTIONS, Math.ceil(rate / 100)) };
}

/** Finishes the steps of a killed run: deletes the messages that were sent, and makes the others visible. */
async function recover({ queue, journal }: ReplayRun): Promise<void> {
  const done = new Map<string, string>();
  const held: string[] = [];
  for (const [messageId, handle] of journal.held) {
    const message = journal.messages.get(messageId);
    if (message !== undefined && message.sent && (message.remainderRequeued || !message.split))
      done.set(messageId, handle);
    else held.push(handle);
  }
  const undeleted = await deleteMessages(queue, [...done.values()]);
  const deleted = [...done].filter(([, handle]) => !undeleted.has(handle)).map(([messageId]) => messageId);
  if (deleted.length > 0) journal.deleted(deleted);
  // A message that SQS does not delete now is received again; one that it does not make visible is counted as hidden.
  await makeVisible(queue, [...held, ...undeleted.keys()]);
  await journal.madeVisible();
}

type Book = { tally: Tally; handles: Map<string, string> };

async function finishJobs(jobs: Job[], run: ReplayRun, { tally, handles }: Book): Promise<void> {
  const { queue, journal, onFailure } = run;
  const outgoing = new Map(jobs.filter(({ sent }) => !sent).map((job) => [job, messagesOf(job)]));
  const fresh = [...outgoing].filter(([{ message }]) => !journal.messages.has(message.messageId));
  if (fresh.length > 0) await journal.planned(fresh.map(toPlanned));

  const refused = await sendAll({ ...queue, url: run.to }, outgoing);
  for (const [{ message, chosen }, why] of refused) {
    tally.failed += chosen.length;
    onFailure(message, why);
  }
  const sent = jobs.filter((job) => !refused.has(job));
  const sentNow = sent.filter((job) => !job.sent);
  for (const { chosen } of sentNow) tally.replayed += chosen.length;
  if (sentNow.length > 0) await journal.sent(idsOf(sentNow));

  const split = sent.filter(({ rest, remainderRequeued }) => rest.length > 0 && !remainderRequeued);
  const remainders = split.map((job) => [job, remainder(job.message, contentsOf(job.rest))] as const);
  const notRequeued = await sendAll(queue, new Map(remainders));
  const requeued = split.filter((job) => !notRequeued.has(job));
  if (requeued.length > 0) await journal.remainderRequeued(idsOf(requeued));

  for (const [{ message }, why] of notRequeued) onFailure(message, `its other events were not requeued: ${why}`);

  // The newest handles: a message with a long wait may have been received again.
  const done = sent.filter((job) => !notRequeued.has(job)).map(({ message }) => message);
  const newest = new Map(done.map((message) => [message, handles.get(message.messageId) ?? message.receiptHandle]));
  const undeleted = await deleteMessages(queue, [...newest.values()]);
  const deleted: string[] = [];
  for (const [message, handle] of newest) {
    const why = undeleted.get(handle);
    if (why === undefined) deleted.push(message.messageId);
    else onFailure(message, `it was sent, but not deleted: ${why}`);
  }
  for (const messageId of deleted) handles.delete(messageId);
  if (deleted.length > 0) journal.deleted(deleted);
  tally.left += sent.length - deleted.length;
}

/** Sends the messages of each job. Returns the jobs of which SQS refused a message, with the reason. */
async function sendAll(queue: Queue, outgoing: Map<Job, OutgoingMessage[]>): Promise<Map<Job, string>> {
  const failures = await sendMessages(queue, [...outgoing.values()].flat());
  return new Map(
    [...outgoing].flatMap(([job, messages]) => {
      const failed = messages.map((message) => failures.get(message)).find((why) => why !== undefined);
      return failed === undefined ? [] : [[job, failed] as const];
    }),
  );
}

/** The message verbatim if all of it is replayed unchanged, otherwise its events in new envelopes. */
function messagesOf({ message, chosen, rest }: Job): OutgoingMessage[] {
  if (rest.length === 0 && chosen.every(({ edit }) => edit === undefined)) return [wholeMessage(message)];
  return someEvents(
    message,
    chosen.map(({ edit, event }) => edit ?? event.content),
  );
}

/** The job of a message that this replay planned before it was interrupted: the same events, without the filter. */
function continuedJob(
  message: DeadLetterMessage,
  { keys, sent, remainderRequeued }: Pick<PlannedMessage, "keys"> & Pick<Steps, "sent" | "remainderRequeued">,
  edits: Edits | undefined,
): Job {
  const chosen = message.events
    .map((event) => ({ key: eventKey(message, event), event, edit: edits?.find(message, event) }))
    .filter(({ key }) => keys.includes(key));
  return toJob(message, chosen, { sent, remainderRequeued });
}

function toJob(message: DeadLetterMessage, chosen: ChosenEvent[], done: Pick<Job, "sent" | "remainderRequeued">): Job {
  const events = new Set(chosen.map(({ event }) => event));
  return { message, chosen, rest: message.events.filter((event) => !events.has(event)), ...done };
}

function toPlanned([{ message, chosen, rest }, messages]: [Job, OutgoingMessage[]]): PlannedMessage {
  const hasCount = messages.every(({ attributes }) => attributes?.replays !== undefined);
  return {
    messageId: message.messageId,
    keys: chosen.map(({ key }) => key),
    replays: hasCount ? message.replays : -1,
    split: rest.length > 0,
  };
}

function idsOf(jobs: Job[]): string[] {
  return jobs.map(({ message }) => message.messageId);
}

function contentsOf(events: DeadLetterEvent[]): unknown[] {
  return events.map(({ content }) => content);
}
