import type { NumberRanges } from "./number-ranges.ts";

/** The numbers of a producer's events, by tenant, whose messages the queue has confirmed. */
export type ProducerNote = {
  producer: string;
  /** Of two notes of a producer the later one has all numbers of the earlier one. In ms since the epoch. */
  at: number;
  tenants: ReadonlyMap<string, NumberRanges>;
};

export type ProducerNotes = {
  /** Writes a note in place of the earlier ones of its producer. A later one stays. @throws AccessError */
  write(note: ProducerNote): Promise<void>;
};

/**
 * The time for which a note counts: a message may be as old as the retention of the dead-letter queue, 14 days, before it is recorded; with
 * some room. The database forgets a producer only behind it (PRODUCER_SILENT_DAYS).
 */
export const NOTE_KEPT_MS = 20 * 86_400_000;

/**
 * The time for which a process gives its events numbers of one producer. Then it begins another one, so that a note of an older producer
 * is final and can be deleted once all of its events arrived.
 */
export const PRODUCER_LIFE_MS = 3_600_000;

/**
 * The time after its end in which a producer still writes its note: longer than a request. A process that Lambda froze before its last
 * note, and thaws later, drops what is new in it: those events count when they arrive.
 */
export const PRODUCER_NOTE_GRACE_MS = 60_000;
