import { type Key, KeyMap } from "./key-map.ts";

/**
 * What a client knows about an event it sent. `acked`: told that it is accepted. `rejected`: told that it is refused for
 * good. `indeterminate`: everything else; it may have been accepted or not.
 */
export type Outcome = "acked" | "rejected" | "indeterminate";

export type Attempt = Key & {
  /** Tells one body from another, see `fingerprint`. */
  fingerprint: string;
};

/** All that clients know about one key, over every time they sent it. Times are ms since the epoch. */
export type Attempted = Key & {
  /** Its place in the list of all. */
  readonly index: number;
  readonly fingerprint: string;
  /** Of other bodies that were sent under the same key. */
  readonly otherFingerprints: readonly string[] | undefined;
  readonly attempts: number;
  readonly rejections: number;
  /** The first time. */
  readonly attemptedAt: number;
  /** The first time; undefined where it was never acked. */
  readonly ackedAt: number | undefined;
};

/**
 * Says what became of the events of one request: one outcome for all, or one for each in order.
 * @throws when it was said before, or the number of outcomes is another
 */
type Answered = (outcomes: Outcome | readonly Outcome[], at: number) => void;

export type History = {
  /** Records that a client sends these events now. They are indeterminate until the function it returns is called. */
  attempt(events: readonly Attempt[], at: number): Answered;
  find(key: Key): Attempted | undefined;
  /** One for each key. */
  readonly attempted: readonly Attempted[];
};

/** What clients saw: what they sent, and what they were told about it. The order of the calls does not matter. */
export function createHistory(): History {
  const keys = new KeyMap<Writable<Attempted>>();

  return {
    attempt(events, at) {
      const request = events.map((event) => record(keys, event, at));
      let answered = false;
      return (outcomes, answeredAt) => {
        if (answered) throw new Error("This request was answered before.");
        if (typeof outcomes !== "string" && outcomes.length !== request.length) {
          throw new Error(`${outcomes.length} outcomes for ${request.length} events.`);
        }
        answered = true;
        for (const [index, attempted] of request.entries()) {
          settle(attempted, typeof outcomes === "string" ? outcomes : outcomes[index], answeredAt);
        }
      };
    },
    find: (key) => keys.get(key),
    get attempted() {
      return keys.values;
    },
  };
}

export function wasSent(attempted: Attempted, fingerprint: string): boolean {
  return attempted.fingerprint === fingerprint || attempted.otherFingerprints?.includes(fingerprint) === true;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

function record(keys: KeyMap<Writable<Attempted>>, event: Attempt, at: number): Writable<Attempted> {
  const { tenant, source, id, fingerprint } = event;
  const known = keys.get(event);
  if (known === undefined) {
    const first = { attempts: 1, rejections: 0, attemptedAt: at, ackedAt: undefined };
    const index = keys.values.length;
    return keys.add(event, { tenant, source, id, index, fingerprint, otherFingerprints: undefined, ...first });
  }
  known.attempts += 1;
  known.attemptedAt = Math.min(known.attemptedAt, at);
  if (!wasSent(known, fingerprint)) known.otherFingerprints = [...(known.otherFingerprints ?? []), fingerprint];
  return known;
}

function settle(attempted: Writable<Attempted>, outcome: Outcome | undefined, at: number): void {
  if (outcome === "acked") attempted.ackedAt = Math.min(attempted.ackedAt ?? at, at);
  else if (outcome === "rejected") attempted.rejections += 1;
}
