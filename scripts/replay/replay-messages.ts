import type { Edits } from "../dead-letters/edits.ts";
import type { Filter } from "../dead-letters/filter.ts";
import { type DeadLetter, eventKey, type LetterEvent } from "../dead-letters/dead-letter.ts";
import { type LetterQueue, receiveAll, release, remove } from "../dead-letters/queue.ts";
import type { Progress } from "../progress.ts";
import { choose, type Chosen } from "./choose.ts";
import type { Journal } from "./journal.ts";
import { type Outgoing, remainingLetters, sendMessages, someEvents, wholeLetter } from "./outgoing.ts";
import { createPace } from "./pace.ts";

export type ReplayRun = {
  queue: LetterQueue;
  /** URL of the queue the events go to. */
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
  /** Called for each letter once. */
  see: (letter: DeadLetter) => void;
  /** A letter that was not replayed, and why. */
  onFailure: (letter: DeadLetter, why: string) => void;
};

export type Tally = {
  /** Events. */
  replayed: number;
  failed: number;
  capped: number;
  returned: number;
  /** Letters that were sent and are still there. */
  left: number;
  /** Calls for letters whose answer may be lost. */
  lost: number;
  /** Letters that somebody else hid to the end. */
  missed: number;
};

/** A letter in hand: what is sent of it, what stays, and what of that is done already. */
type Job = { letter: DeadLetter; chosen: Chosen[]; rest: LetterEvent[]; sent: boolean; parted: boolean };

/**
 * Sends the chosen events of the dead-letter queue to another one, letter by letter: journal, send, journal, delete. A
 * letter of which only some events are chosen is split: the others go back as a letter of their own before it is deleted.
 * Every letter that stays is visible again at the end.
 * @throws Error of a call that failed as a whole; the journal has what was done until then
 */
export async function replayLetters(run: ReplayRun): Promise<Tally> {
  const { queue, journal, progress, limit } = run;
  const tally: Tally = { replayed: 0, failed: 0, capped: 0, returned: 0, left: 0, lost: 0, missed: 0 };
  const pace = createPace(run.rate);
  const full = new AbortController();
  const signal = AbortSignal.any([run.signal, full.signal]);
  /** Receipt handles of what is hidden and not deleted, by message id. */
  const handles = new Map<string, string>();
  const seen = new Set<string>();
  const unfinished = [...journal.letters.values()].some(({ gone }) => !gone);
  let budget = (limit ?? Number.POSITIVE_INFINITY) - journal.events;

  const cameBack = (key: string, replays: number) => journal.cameBack(key, replays);
  const plan = (letter: DeadLetter): Job | undefined => {
    const taken = journal.letters.get(letter.messageId);
    if (taken !== undefined) return continued(letter, taken, run.edits);
    if (budget <= 0) return undefined;
    const { chosen, capped, returned } = choose(letter, { ...run, cameBack });
    tally.capped += capped;
    tally.returned += returned;
    const affordable = chosen.slice(0, budget);
    budget -= affordable.length;
    return affordable.length === 0 ? undefined : toJob(letter, affordable, { sent: false, parted: false });
  };

  const onPage = async (letters: DeadLetter[]) => {
    for (const { messageId, receiptHandle } of letters) handles.set(messageId, receiptHandle);
    journal.hold(letters);
    // Seen before are those whose hiding ran out while they are in hand or kept.
    const fresh = letters.filter(({ messageId }) => !seen.has(messageId) || journal.letters.get(messageId)?.gone);
    const jobs = fresh.flatMap((letter) => {
      if (!seen.has(letter.messageId)) run.see(letter);
      seen.add(letter.messageId);
      return plan(letter) ?? [];
    });
    pace.spend(jobs.reduce((events, { chosen }) => events + chosen.length, 0));
    if (budget <= 0 && !unfinished) full.abort();
    await finishJobs(jobs, run, { tally, handles });
    progress.advance(fresh.length);
  };

  await recover(run);
  try {
    const held = () => handles.size;
    const options = { signal, held, pace: () => pace.wait(signal), ...pageFor(run.rate) };
    Object.assign(tally, await receiveAll(queue, onPage, options));
  } finally {
    await release(queue, handles.values());
    await journal.released();
  }
  return tally;
}

/** What one call takes at most is what goes at once, so a low rate reads few letters a call. */
function pageFor(rate = Number.POSITIVE_INFINITY): { pageSize: number; connections: number } {
  return { pageSize: Math.min(10, rate), connections: Math.min(8, Math.ceil(rate / 100)) };
}

/** Ends what a killed run had in hand: deletes what was sent, and makes visible what was not or cannot be deleted. */
async function recover({ queue, journal }: ReplayRun): Promise<void> {
  const done = new Map<string, string>();
  const held: string[] = [];
  for (const [messageId, handle] of journal.held) {
    const letter = journal.letters.get(messageId);
    if (letter !== undefined && letter.sent && (letter.parted || !letter.split)) done.set(messageId, handle);
    else held.push(handle);
  }
  const undeleted = await remove(queue, [...done.values()]);
  const gone = [...done].filter(([, handle]) => !undeleted.has(handle)).map(([messageId]) => messageId);
  if (gone.length > 0) journal.gone(gone);
  // What SQS does not delete now is received again, and what it does not release is hidden and counted so.
  await release(queue, [...held, ...undeleted.keys()]);
  await journal.released();
}

type Book = { tally: Tally; handles: Map<string, string> };

async function finishJobs(jobs: Job[], run: ReplayRun, { tally, handles }: Book): Promise<void> {
  const { queue, journal, onFailure } = run;
  const outgoing = new Map(jobs.filter(({ sent }) => !sent).map((job) => [job, messagesOf(job)]));
  const fresh = [...outgoing].filter(([{ letter }]) => !journal.letters.has(letter.messageId));
  if (fresh.length > 0) await journal.take(fresh.map(toTaken));

  const refused = await sendAll(run.to, outgoing, run);
  for (const [{ letter, chosen }, why] of refused) {
    tally.failed += chosen.length;
    onFailure(letter, why);
  }
  const sent = jobs.filter((job) => !refused.has(job));
  const now = sent.filter((job) => !job.sent);
  for (const { chosen } of now) tally.replayed += chosen.length;
  if (now.length > 0) await journal.sent(idsOf(now));

  const parting = sent.filter(({ rest, parted }) => rest.length > 0 && !parted);
  const remaining = parting.map((job) => [job, remainingLetters(job.letter, exactOf(job.rest))] as const);
  const unparted = await sendAll(queue.url, new Map(remaining), run);
  const parted = parting.filter((job) => !unparted.has(job));
  if (parted.length > 0) await journal.parted(idsOf(parted));

  for (const [{ letter }, why] of unparted) onFailure(letter, `what stays of it was not sent back: ${why}`);

  // The newest handles: a letter that was long in hand may have been received again.
  const done = sent.filter((job) => !unparted.has(job)).map(({ letter }) => letter);
  const newest = new Map(done.map((letter) => [letter, handles.get(letter.messageId) ?? letter.receiptHandle]));
  const undeleted = await remove(queue, [...newest.values()]);
  const gone: string[] = [];
  for (const [letter, handle] of newest) {
    const why = undeleted.get(handle);
    if (why === undefined) gone.push(letter.messageId);
    else onFailure(letter, `it was sent, but not deleted: ${why}`);
  }
  for (const messageId of gone) handles.delete(messageId);
  if (gone.length > 0) journal.gone(gone);
  tally.left += sent.length - gone.length;
}

/** Sends the messages of each job; answers the jobs of which SQS refused one. */
async function sendAll(url: string, outgoing: Map<Job, Outgoing[]>, { queue }: ReplayRun): Promise<Map<Job, string>> {
  const failures = await sendMessages(queue.client, url, [...outgoing.values()].flat());
  return new Map(
    [...outgoing].flatMap(([job, messages]) => {
      const failed = messages.map((message) => failures.get(message)).find((why) => why !== undefined);
      return failed === undefined ? [] : [[job, failed] as const];
    }),
  );
}

/** The letter as it was where all of it goes unchanged; else its events in new envelopes. */
function messagesOf({ letter, chosen, rest }: Job): Outgoing[] {
  if (rest.length === 0 && chosen.every(({ edit }) => edit === undefined)) return [wholeLetter(letter)];
  return someEvents(
    letter,
    chosen.map(({ edit, event }) => edit ?? event.exact),
  );
}

/** A letter that this run has taken before it was interrupted: the same events, without a second look at the filter. */
function continued(
  letter: DeadLetter,
  { keys, sent, parted }: { keys: string[]; sent: boolean; parted: boolean },
  edits: Edits | undefined,
): Job {
  const chosen = letter.events
    .map((event) => ({ key: eventKey(letter, event), event, edit: edits?.find(letter, event) }))
    .filter(({ key }) => keys.includes(key));
  return toJob(letter, chosen, { sent, parted });
}

function toJob(letter: DeadLetter, chosen: Chosen[], done: { sent: boolean; parted: boolean }): Job {
  const events = new Set(chosen.map(({ event }) => event));
  return { letter, chosen, rest: letter.events.filter((event) => !events.has(event)), ...done };
}

function toTaken([{ letter, chosen, rest }, messages]: [Job, Outgoing[]]) {
  const counted = messages.every(({ attributes }) => "replays" in attributes);
  return {
    messageId: letter.messageId,
    keys: chosen.map(({ key }) => key),
    replays: counted ? letter.replays : -1,
    split: rest.length > 0,
  };
}

function idsOf(jobs: Job[]): string[] {
  return jobs.map(({ letter }) => letter.messageId);
}

function exactOf(events: LetterEvent[]): unknown[] {
  return events.map(({ exact }) => exact);
}
