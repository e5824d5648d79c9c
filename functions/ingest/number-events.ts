import { addRange, NO_NUMBERS, type NumberRanges } from "../core/number-ranges.ts";
import type { Clock } from "../core/ports.ts";
import { PRODUCER_LIFE_MS, PRODUCER_NOTE_GRACE_MS, type ProducerNotes } from "../core/producer-notes.ts";

/** The numbers of events that are about to be sent. */
export type Numbered = {
  /** Members of their envelope: `sequence` is the number of the first event, and the others follow. */
  head: { producer: string; sequence: number };
  /** Says that the queue has the events from the first to the last number. */
  confirmed: (first: number, last: number) => void;
};

export type Numbering = {
  /** Gives the next events of a tenant their numbers. */
  take(tenant: string, events: number): Numbered;
  /** Writes which numbers are confirmed, unless this process did so just now; then a later call or a timer does. Never throws. */
  note(): Promise<void>;
};

export type NumberingDeps = {
  notes: ProducerNotes;
  clock: Clock;
  newProducerId: (begin: number) => string;
  /** Does work after a time, where the process still runs. */
  later: (work: () => void, ms: number) => void;
  /** A note could not be written. */
  onFailure: (error: unknown) => void;
};

/** A producer, and what is known of its events. */
type Producer = {
  id: string;
  end: number;
  /** The next number of each tenant. */
  next: Map<string, number>;
  confirmed: Map<string, NumberRanges>;
  ranges: number;
  writtenAt: number;
};

/**
 * Numbers accepted events, so that the ledger can say which of them did not arrive (docs/decisions/0030). This process is one producer at
 * a time, and counts the events of each tenant from 1 on. A message that the queue did not confirm leaves a hole: the
 * events in it have no verdict `accepted`, and count where they arrive all the same.
 */
export function createNumbering(deps: NumberingDeps): Numbering {
  let current: Producer | undefined;
  /** Producers with numbers that are confirmed and not written. */
  const unwritten = new Set<Producer>();
  let nextNoteAt = 0;
  let isWriting = false;
  let isPlanned = false;

  function producerAt(now: number): Producer {
    if (current === undefined || now >= current.end || current.ranges >= NOTE_MAX_RANGES) current = begin(now);
    return current;
  }

  function begin(now: number): Producer {
    const id = deps.newProducerId(now);
    return { id, end: now + PRODUCER_LIFE_MS, next: new Map(), confirmed: new Map(), ranges: 0, writtenAt: now - 1 };
  }

  async function write(producer: Producer, now: number): Promise<void> {
    unwritten.delete(producer);
    if (now >= producer.end + PRODUCER_NOTE_GRACE_MS) return;
    producer.writtenAt = Math.max(now, producer.writtenAt + 1);
    try {
      await deps.notes.write({ producer: producer.id, at: producer.writtenAt, tenants: producer.confirmed });
    } catch (error) {
      unwritten.add(producer);
      deps.onFailure(error);
    }
  }

  async function note(): Promise<void> {
    const now = deps.clock().getTime();
    if (unwritten.size === 0) return;
    if (isWriting || now < nextNoteAt) return plan(now);
    isWriting = true;
    const written = [...unwritten];
    const ranges = written.reduce((sum, producer) => sum + producer.ranges, 0);
    nextNoteAt = now + NOTE_PERIOD_MS * Math.ceil(ranges / RANGES_OF_A_UNIT);
    try {
      await Promise.all(written.map((producer) => write(producer, now)));
    } finally {
      isWriting = false;
    }
  }

  /** A timer that is late was frozen by Lambda with its process. It leaves the note to the request that thawed it, so that this one is in it. */
  function plan(now: number): void {
    if (isPlanned) return;
    isPlanned = true;
    const due = Math.max(nextNoteAt, now + 1);
    deps.later(() => {
      isPlanned = false;
      if (deps.clock().getTime() < due + NOTE_PERIOD_MS) void note();
    }, due - now);
  }

  return {
    take(tenant, events) {
      const producer = producerAt(deps.clock().getTime());
      const sequence = producer.next.get(tenant) ?? 1;
      producer.next.set(tenant, sequence + events);
      return {
        head: { producer: producer.id, sequence },
        confirmed(first, last) {
          const before = producer.confirmed.get(tenant) ?? NO_NUMBERS;
          const after = addRange(before, first, last);
          producer.confirmed.set(tenant, after);
          producer.ranges += after.length - before.length;
          unwritten.add(producer);
        },
      };
    },
    note,
  };
}

/**
 * At most one note a second and process: at a request a second or more a note costs a part of a request's price, and its time is none of the
 * 99th percentile at a hundred requests a second.
 */
const NOTE_PERIOD_MS = 1_000;

/**
 * Ranges in a kilobyte, DynamoDB's unit of a write, with the name of a tenant each. A note that is larger is written as much more seldom,
 * so that the price of a process is a unit a second.
 */
const RANGES_OF_A_UNIT = 10;

/** A larger note would come near DynamoDB's 400 KB for an item; another producer begins. */
const NOTE_MAX_RANGES = 2_000;
