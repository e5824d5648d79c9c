import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AtRest, MessageAtRest, Row } from "../../faults/checker/at-rest.ts";
import { check } from "../../faults/checker/check.ts";
import { createHistory, type Outcome } from "../../faults/checker/history.ts";
import type { Key } from "../../faults/checker/key-map.ts";
import { NOW } from "./support.ts";

/** One event in one request; `outcome` is undefined without an answer. */
type Sent = Key & { fingerprint: string; at: number; outcome: Outcome | undefined; answeredAt: number };
type Run = { sent: Sent[]; stored: Row[]; deadLetters: MessageAtRest[]; queued: MessageAtRest[] };

// Few keys, so that they collide often.
const key = fc.record({
  tenant: fc.constantFrom("a", "b"),
  source: fc.constantFrom("/", "a"),
  id: fc.constantFrom("1", "2", "a"),
});
const fingerprint = fc.constantFrom("x", "y", "z");
const time = fc.integer({ min: NOW, max: NOW + 50 });
const outcome = fc.constantFrom<(Outcome | undefined)[]>("acked", "acked", "rejected", "indeterminate", undefined);
const messages = fc.array(
  fc.record({ keys: fc.array(key, { maxLength: 3 }), unread: fc.constantFrom(undefined, 0, 1) }),
  { maxLength: 4 },
);
const run: fc.Arbitrary<Run> = fc.record({
  sent: fc.array(
    fc
      .tuple(key, fc.record({ fingerprint, at: time, outcome, answeredAt: time }))
      .map(([k, rest]) => ({ ...k, ...rest })),
    { maxLength: 20 },
  ),
  stored: fc.array(
    fc
      .tuple(key, time, fc.option(fingerprint, { nil: undefined }))
      .map(([k, storedAt, body]) => ({ ...k, storedAt, fingerprint: body })),
    { maxLength: 12 },
  ),
  deadLetters: messages,
  queued: messages,
});

const checked = ({ sent, ...rest }: Run) => {
  const history = createHistory();
  for (const { outcome, at, answeredAt, ...event } of sent) {
    const answered = history.attempt([event], at);
    if (outcome !== undefined) answered(outcome, answeredAt);
  }
  return check(history, rest);
};

describe("check, for any history", () => {
  it("the report equals a naive evaluation of the definitions", () => {
    fc.assert(
      fc.property(run, (each) => {
        const { counts, timeToStable, ok } = checked(each);

        expect({ counts, timeToStable, ok }).toEqual(reference(each));
      }),
      { numRuns: 2_000 },
    );
  });

  it("the ledger adds up for any history", () => {
    fc.assert(
      fc.property(run, (each) => {
        const { counts } = checked(each);

        expect(counts.acknowledged + counts.rejected + counts.indeterminate).toBe(counts.attempted);
        expect(counts.stored + counts.deadLettered + counts.queued + counts.unread + counts.lost).toBe(
          counts.acknowledged,
        );
      }),
    );
  });

  it("the report does not depend on the order of attempts, rows and messages", () => {
    const shuffled = <T>(list: T[]) => fc.shuffledSubarray(list, { minLength: list.length });
    const twoOrders = run.chain((each) =>
      fc.tuple(
        fc.constant(each),
        fc.record({
          sent: shuffled(each.sent),
          stored: shuffled(each.stored),
          deadLetters: shuffled(each.deadLetters),
          queued: shuffled(each.queued),
        }),
      ),
    );
    fc.assert(
      fc.property(twoOrders, ([one, other]) => {
        expect(inNoOrder(checked(other))).toEqual(inNoOrder(checked(one)));
      }),
      { numRuns: 500 },
    );
  });

  it("check leaves the history unchanged", () => {
    const history = createHistory();
    history.attempt([{ tenant: "a", source: "/", id: "1", fingerprint: "x" }], NOW)("acked", NOW);
    const rest: AtRest = {
      stored: [{ tenant: "a", source: "/", id: "2", storedAt: NOW }],
      deadLetters: [],
      queued: [],
    };

    const first = check(history, rest);

    expect(first.counts).toMatchObject({ lost: 1, neverAttempted: 1 });
    expect(check(history, rest)).toEqual(first);
  });
});

/** Sorts the examples as texts, because the attempts' indexes and fingerprints depend on the order. */
function inNoOrder({ counts, timeToStable, ok, line, text }: ReturnType<typeof checked>) {
  return { counts, timeToStable, ok, line, lines: text.split("\n").toSorted() };
}

/** Evaluates each definition literally, by a search through everything. */
function reference({ sent, stored, deadLetters, queued }: Run) {
  const same = (a: Key) => (b: Key) => a.tenant === b.tenant && a.source === b.source && a.id === b.id;
  const distinct = <T extends Key>(list: T[]) => list.filter((each, index) => list.findIndex(same(each)) === index);
  const inDeadLetters = deadLetters.flatMap(({ keys }) => keys);
  const inQueue = queued.flatMap(({ keys }) => keys);
  const timesIn = (list: Key[]) => (each: Key) => list.filter(same(each)).length;
  const [rows, deadLettered, waiting] = [timesIn(stored), timesIn(inDeadLetters), timesIn(inQueue)];
  const somewhere = (each: Key) => rows(each) + deadLettered(each) + waiting(each) > 0;

  const attempted = distinct(sent);
  const tries = (each: Key) => sent.filter(same(each));
  const acked = attempted.filter((each) => tries(each).some(({ outcome }) => outcome === "acked"));
  const rejected = attempted.filter((each) => tries(each).every(({ outcome }) => outcome === "rejected"));
  const indeterminate = attempted.filter((each) => !acked.some(same(each)) && !rejected.some(same(each)));
  const found = distinct<Key>([...stored, ...inDeadLetters, ...inQueue]);
  const missing = acked.filter((each) => !somewhere(each)).length;
  const unread = [...deadLetters, ...queued].reduce((sum, message) => sum + (message.unread ?? 0), 0);
  const isStrange = (each: Row) =>
    each.fingerprint !== undefined &&
    tries(each).length > 0 &&
    tries(each).every(({ fingerprint }) => fingerprint !== each.fingerprint);

  const counts = {
    attempted: attempted.length,
    acknowledged: acked.length,
    rejected: rejected.length,
    indeterminate: indeterminate.length,
    recovered: indeterminate.filter(somewhere).length,
    stored: acked.filter((each) => rows(each) > 0).length,
    deadLettered: acked.filter((each) => rows(each) === 0 && deadLettered(each) > 0).length,
    queued: acked.filter((each) => rows(each) === 0 && deadLettered(each) === 0 && waiting(each) > 0).length,
    unread: Math.min(missing, unread),
    rows: stored.length,
    deadLetterMessages: deadLetters.length,
    queuedMessages: queued.length,
    lost: Math.max(0, missing - unread),
    doubled: distinct(stored).filter((each) => rows(each) > 1).length,
    neverAttempted: found.filter((each) => tries(each).length === 0).length,
    rejectedButStored: rejected.filter(somewhere).length,
    changed: distinct(stored.filter(isStrange)).length,
    storedAndDeadLettered: distinct(stored).filter((each) => deadLettered(each) > 0).length,
    deadLetteredTwice: distinct(inDeadLetters).filter((each) => deadLettered(each) > 1).length,
  };
  const latencies = acked
    .filter((each) => rows(each) > 0)
    .map((each) => {
      const acks = tries(each).filter(({ outcome }) => outcome === "acked");
      const ackedAt = Math.min(...acks.map(({ answeredAt }) => answeredAt));
      return Math.max(0, Math.min(...stored.filter(same(each)).map(({ storedAt }) => storedAt)) - ackedAt);
    });
  // The smallest value that this share of the values does not exceed.
  const quantile = (share: number) =>
    latencies.length === 0
      ? Number.NaN
      : Math.min(...latencies.filter((v) => latencies.filter((w) => w <= v).length >= share * latencies.length));
  const broken = counts.lost + counts.doubled + counts.neverAttempted + counts.rejectedButStored + counts.changed;
  return { counts, timeToStable: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) }, ok: broken === 0 };
}
