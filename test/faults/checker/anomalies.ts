import type { Attempted } from "./history.ts";
import type { Key } from "./key-map.ts";

/** One key: its places at rest, and the clients' knowledge of it. */
export type Place = Key & {
  /** Undefined if no client sent it. */
  attempted: Attempted | undefined;
  rows: number;
  deadLetters: number;
  queued: number;
  /** The time at which its first row could be read, ms since the epoch; undefined without a row. */
  storedAt: number | undefined;
  /** True if a row has a fingerprint of no attempt. */
  changed: boolean;
};

/** Everything that can be wrong with a key. A `violation` breaks the promise; a `note` is only unexpected. */
export const anomalies = {
  lost: {
    kind: "violation",
    meaning: "acknowledged, but neither stored nor dead-lettered nor queued",
    is: (place) => place.attempted?.ackedAt !== undefined && !isAnywhere(place),
  },
  doubled: { kind: "violation", meaning: "has more than one row", is: ({ rows }) => rows > 1 },
  neverAttempted: {
    kind: "violation",
    meaning: "stored, dead-lettered or queued, but sent by nobody",
    is: ({ attempted }) => attempted === undefined,
  },
  rejectedButStored: {
    kind: "violation",
    meaning: "rejected each time it was sent, but stored, dead-lettered or queued",
    is: (place) => isRejected(place) && isAnywhere(place),
  },
  changed: { kind: "violation", meaning: "stored with a body that nobody sent", is: ({ changed }) => changed },
  storedAndDeadLettered: {
    kind: "note",
    meaning: "stored and also dead-lettered; a replay of it changes nothing",
    is: ({ rows, deadLetters }) => rows > 0 && deadLetters > 0,
  },
  deadLetteredTwice: {
    kind: "note",
    meaning: "in more than one dead letter; the second replay changes nothing",
    is: ({ deadLetters }) => deadLetters > 1,
  },
} as const satisfies Record<string, { kind: "violation" | "note"; meaning: string; is: (place: Place) => boolean }>;

export type Anomaly = keyof typeof anomalies;

export const anomalyNames = Object.keys(anomalies) as Anomaly[];

export function isAnywhere({ rows, deadLetters, queued }: Place): boolean {
  return rows > 0 || deadLetters > 0 || queued > 0;
}

/** Tells whether every attempt was rejected; after one attempt without an answer the event may be stored. */
export function isRejected({ attempted }: Place): boolean {
  return attempted !== undefined && attempted.rejections === attempted.attempts;
}
