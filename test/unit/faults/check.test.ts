import { describe, expect, it } from "vitest";
import { check } from "../../faults/checker/check.ts";
import { createHistory, type Outcome } from "../../faults/checker/history.ts";
import { atRest, attempt, NOW, row } from "./support.ts";

/** Makes a history of one request with one event per outcome: "0", "1" and so on. */
function sent(...outcomes: Outcome[]) {
  const history = createHistory();
  const answered = history.attempt(
    outcomes.map((_, index) => attempt(String(index))),
    NOW,
  );
  answered(outcomes, NOW + 40);
  return history;
}

const message = (...ids: string[]) => ({ keys: ids.map((id) => attempt(id)) });

describe("check, where the promise is kept", () => {
  it("check accepts acknowledged events that are stored, dead-lettered or queued", () => {
    const history = sent("acked", "acked", "acked", "acked");

    const report = check(
      history,
      atRest({ stored: [row("0"), row("1")], deadLetters: [message("2")], queued: [message("3")] }),
    );

    expect(report).toMatchObject({ ok: true, timeToStable: { p50: 60, p99: 60, max: 60 } });
    expect(report.counts).toEqual({
      attempted: 4,
      acknowledged: 4,
      rejected: 0,
      indeterminate: 0,
      recovered: 0,
      stored: 2,
      deadLettered: 1,
      queued: 1,
      unread: 0,
      rows: 2,
      deadLetterMessages: 1,
      queuedMessages: 1,
      lost: 0,
      doubled: 0,
      neverAttempted: 0,
      rejectedButStored: 0,
      changed: 0,
      storedAndDeadLettered: 0,
      deadLetteredTwice: 0,
    });
    expect(report.text).toBe(
      "ok | 4 attempted: 4 acknowledged (2 stored + 1 dead-lettered + 1 queued), 0 rejected, 0 indeterminate " +
        "(0 recovered) | stable after p50 60 ms, p99 60 ms, max 60 ms",
    );
  });

  it("check lets an indeterminate event be stored or not, and counts the recovered ones", () => {
    const history = sent("indeterminate", "indeterminate", "indeterminate", "indeterminate");

    const report = check(history, atRest({ stored: [row("0")], deadLetters: [message("1")], queued: [message("2")] }));

    expect(report.ok).toBe(true);
    expect(report.counts).toMatchObject({ acknowledged: 0, stored: 0, indeterminate: 4, recovered: 3 });
    expect(report.line).toContain("none stable");
  });

  it("check counts a request without an answer as indeterminate", () => {
    const history = createHistory();
    history.attempt([attempt("0")], NOW);

    expect(check(history, atRest()).counts).toMatchObject({ indeterminate: 1, recovered: 0, lost: 0 });
    expect(check(history, atRest({ stored: [row("0")] }))).toMatchObject({ ok: true, counts: { recovered: 1 } });
  });

  it("check counts an event as acknowledged if one attempt was, and measures from the first", () => {
    const history = createHistory();
    for (const [outcome, at] of [
      ["indeterminate", 10],
      ["acked", 70],
      ["rejected", 80],
      ["acked", 30],
    ] as const) {
      history.attempt([attempt("0")], NOW)(outcome, NOW + at);
    }

    const report = check(history, atRest({ stored: [row("0")] }));

    expect(report).toMatchObject({ ok: true, counts: { attempted: 1, acknowledged: 1, rejected: 0 } });
    expect(report.timeToStable.max).toBe(70);
  });

  it("check measures a time to stable of at least 0", () => {
    const report = check(sent("acked"), atRest({ stored: [row("0", { storedAt: NOW + 1 })] }));

    expect(report.timeToStable).toEqual({ p50: 0, p99: 0, max: 0 });
  });

  it("check reports quantiles that are measured values", () => {
    const ids = Array.from({ length: 200 }, (_, index) => String(index));
    const stored = ids.map((id, index) => row(id, { storedAt: NOW + 40 + index + 1 }));

    const report = check(sent(...ids.map(() => "acked" as const)), atRest({ stored }));

    expect(report.timeToStable).toEqual({ p50: 100, p99: 198, max: 200 });
  });
});

describe("check, where the promise is broken", () => {
  it("check finds a lost event", () => {
    const report = check(sent("acked", "acked"), atRest({ stored: [row("0")] }));

    expect(report).toMatchObject({ ok: false, counts: { lost: 1, acknowledged: 2, stored: 1 } });
    expect(report.examples.lost).toMatchObject([{ tenant: "acme", source: "/shop", id: "1" }]);
    expect(report.text).toBe(
      "BROKEN, lost 1 | 2 attempted: 2 acknowledged (1 stored + 0 dead-lettered + 0 queued + 1 lost), 0 rejected, " +
        "0 indeterminate (0 recovered) | stable after p50 60 ms, p99 60 ms, max 60 ms\n" +
        "violation lost, 1: acknowledged, but neither stored nor dead-lettered nor queued\n" +
        '  ["acme","/shop","1"] sent 1x since 2026-11-01T00:00:00.000Z, acked 40 ms later; ' +
        "0 rows, 0 dead letters, 0 queued",
    );
  });

  it("check finds an event with two rows, and measures until the first", () => {
    const stored = [row("0", { storedAt: NOW + 50 }), row("0", { storedAt: NOW + 45 }), row("1")];

    const report = check(sent("acked", "acked"), atRest({ stored }));

    expect(report).toMatchObject({ ok: false, counts: { doubled: 1, rows: 3, stored: 2, lost: 0 } });
    expect(report.examples.doubled).toMatchObject([{ id: "0", rows: 2 }]);
    expect(report.timeToStable).toMatchObject({ p50: 5, max: 60 });
  });

  it("check finds events that nobody sent, in every place and once for each key", () => {
    const report = check(
      sent("acked"),
      atRest({ stored: [row("0"), row("x"), row("x")], deadLetters: [message("y")], queued: [message("z", "x")] }),
    );

    expect(report).toMatchObject({ ok: false, counts: { neverAttempted: 3, doubled: 1, attempted: 1, stored: 1 } });
    expect(report.examples.neverAttempted.map(({ id }) => id)).toEqual(["x", "y", "z"]);
    expect(report.text).toContain('["acme","/shop","y"] never sent; 0 rows, 1 dead letters, 0 queued');
  });

  it("check finds a rejected event that is stored, dead-lettered or queued", () => {
    const report = check(
      sent("rejected", "rejected", "rejected", "rejected"),
      atRest({ stored: [row("0")], deadLetters: [message("1")], queued: [message("2")] }),
    );

    expect(report).toMatchObject({ ok: false, counts: { rejectedButStored: 3, rejected: 4 } });
    expect(report.examples.rejectedButStored.map(({ id }) => id)).toEqual(["0", "1", "2"]);
  });

  it("check does not count an event as rejected if one attempt had no answer", () => {
    const history = sent("rejected");
    history.attempt([attempt("0")], NOW)("indeterminate", NOW);

    expect(check(history, atRest({ stored: [row("0")] }))).toMatchObject({
      ok: true,
      counts: { rejected: 0, indeterminate: 1, recovered: 1, rejectedButStored: 0 },
    });
  });

  it("check finds a stored body that nobody sent", () => {
    const history = sent("acked", "acked", "acked");
    for (const fingerprint of ["other body", "third body"]) {
      history.attempt([attempt("1", { fingerprint })], NOW)("acked", NOW);
    }
    const stored = [
      row("0", { fingerprint: "another" }),
      row("1", { fingerprint: "other body" }),
      row("2", { fingerprint: undefined }),
    ];

    const report = check(history, atRest({ stored }));

    expect(report).toMatchObject({ ok: false, counts: { changed: 1 } });
    expect(report.examples.changed).toMatchObject([{ id: "0" }]);
  });

  it("check lists twenty examples and the number of further ones", () => {
    const report = check(sent(...Array.from({ length: 25 }, () => "acked" as const)), atRest());

    expect(report.counts.lost).toBe(25);
    expect(report.examples.lost).toHaveLength(20);
    expect(report.text).toMatch(/\n {2}and 5 more$/);
  });
});

describe("check, where the promise is kept in an unexpected way", () => {
  it("check notes an event that is stored and dead-lettered, and counts it once in the ledger", () => {
    const report = check(sent("acked"), atRest({ stored: [row("0")], deadLetters: [message("0")] }));

    expect(report).toMatchObject({ ok: true, counts: { storedAndDeadLettered: 1, stored: 1, deadLettered: 0 } });
    expect(report.text).toMatch(/^ok, storedAndDeadLettered 1 \|[^]*\nnote storedAndDeadLettered, 1: /);
  });

  it("check notes an event in two dead letters, and counts it once in the ledger", () => {
    const report = check(sent("acked", "acked"), atRest({ deadLetters: [message("0", "1"), message("0")] }));

    expect(report).toMatchObject({
      ok: true,
      counts: { deadLetteredTwice: 1, deadLettered: 2, deadLetterMessages: 2 },
    });
  });

  it("an unreadable message accounts for the missing events that are known to be in it", () => {
    const broken = { keys: [], unread: 2 };
    const history = sent("acked", "acked", "acked", "indeterminate");

    const covered = check(history, atRest({ stored: [row("0")], deadLetters: [broken] }));
    expect(covered).toMatchObject({ ok: true, counts: { lost: 0, unread: 2 }, examples: { lost: [] } });
    expect(covered.line).toContain("3 acknowledged (1 stored + 0 dead-lettered + 0 queued + 2 unread)");

    expect(check(history, atRest({ queued: [broken] }))).toMatchObject({ ok: false, counts: { lost: 1, unread: 2 } });
    expect(check(history, atRest({ stored: [row("0"), row("1"), row("2")], queued: [broken] })).counts.unread).toBe(0);
  });
});

describe("a key", () => {
  it("keys with different parts never collide, however the parts would join", () => {
    const pairs = [
      [attempt("c", { tenant: "a", source: "b" }), row("bc", { tenant: "a", source: "" })],
      [attempt("c", { tenant: "ab", source: "" }), row("c", { tenant: "a", source: "b" })],
      [attempt('","', { tenant: "a", source: "b" }), row("", { tenant: "a", source: 'b","","' })],
      [attempt("1", { tenant: "a" }), row("1", { tenant: "b" })],
      [attempt("1", { source: "/a" }), row("1", { source: "/a/" })],
      [attempt("é"), row("e\u0301")],
      [attempt("__proto__"), row("constructor")],
    ] as const;
    for (const [one, other] of pairs) {
      const history = createHistory();
      history.attempt([one], NOW)("acked", NOW);

      const report = check(history, atRest({ stored: [other] }));

      expect(report.counts, JSON.stringify(one)).toMatchObject({ lost: 1, neverAttempted: 1, doubled: 0 });
    }
  });
});

describe("a history", () => {
  it("a history refuses a second answer to one request, and a wrong number of outcomes", () => {
    const answered = createHistory().attempt([attempt("0"), attempt("1")], NOW);

    expect(() => answered(["acked"], NOW)).toThrow("1 outcomes for 2 events.");
    answered("acked", NOW);
    expect(() => answered("acked", NOW)).toThrow("This request was answered before.");
  });
});
