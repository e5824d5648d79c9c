import { type Key, KeyMap } from "./key-map.ts";

/**
 * The outcome of one attempt, as the client knows it. `acked`: the event was accepted. `rejected`: the event was refused for
 * good. `indeterminate`: the event may or may not have been accepted.
 */
export type Outcome = "acked" | "rejected" | "indeterminate";

export type Attempt = Key & {
  /** Identifies the body, see `fingerprint`. */
  fingerprint: string;
};

/** The clients' knowledge of one key over all attempts. Times are ms since the epoch. */
export type Attempted = Key & {
  /** Position in `History.attempted`. */
  readonly index: number;
  readonly fingerprint: string;
  /** Fingerprints of other bodies sent under the same key. */
  readonly otherFingerprints: readonly string[] | undefined;
  readonly attempts: number;
  readonly rejections: number;
  /** Time of the first attempt. */
  readonly attemptedAt: number;
  /** Time of the first acknowledgement; undefined without one. */
  readonly ackedAt: number | undefined;
};

/**
 * Records the outcomes of one request: one for all events, or one each in order.
 * @throws Error on the second call, or if the number of outcomes differs from that of the events
 */
type Answered = (outcomes: Outcome | readonly Outcome[], at: number) => void;

export type History = {
  /** Records that a client sends these events. They are indeterminate until the returned function is called. */
  attempt(events: readonly Attempt[], at: number): Answered;
  find(key: Key): Attempted | undefined;
  /** One entry for each key. */
  readonly attempted: readonly Attempted[];
};

/** Creates a record of all attempts of the clients and their outcomes. The order of the calls does not matter. */
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
