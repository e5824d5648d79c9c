import { beforeEach, describe, expect, it } from "vitest";
import { createCursors } from "../../../functions/core/cursor.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { FeedRead } from "../../../functions/core/feed.ts";
import {
  FEED_POLL_MS,
  FEED_READ_RESERVE_MS,
  FEED_SCAN_MS,
  FEED_SCAN_STATEMENT_MS,
} from "../../../functions/core/feed-limits.ts";
import { createFeed, type FeedRequest } from "../../../functions/query/feed.ts";
import { storable } from "../../support/event-samples.ts";
import { adminOf } from "../../support/principal.ts";
import { memoryFeed } from "./memory-feed.ts";

const HOUR_MS = 3_600_000;
const principal = adminOf("default");

let memory: ReturnType<typeof memoryFeed>;
/** Every read of the database. */
let reads: FeedRead[];
let looks: number;
let now: number;
/** Undefined where it cannot be read. */
let mark: string | undefined;
/** The time of one read. */
let readMs: number;
/** Called after each pause. */
let afterPause: () => Promise<void> | void;
/** Tells whether a read fails as one that takes too long. */
let failsOn: (read: FeedRead) => boolean;
let feed: ReturnType<typeof createFeed>;

beforeEach(() => {
  memory = memoryFeed();
  reads = [];
  looks = 0;
  now = Date.parse("2026-11-21T09:30:00Z");
  mark = "0";
  readMs = 20;
  afterPause = () => undefined;
  failsOn = () => false;
  feed = createFeed({
    reader: {
      async read(request, deadline) {
        reads.push(request);
        now += readMs;
        if (failsOn(request))
          throw new DatabaseError({ disposition: "retry", reason: "operator_intervention", detail: "" });
        return memory.reader.read(request, deadline);
      },
    },
    cursors: createCursors(async () => SECRET),
    mark: {
      async read() {
        looks += 1;
        return mark;
      },
    },
    clock: () => new Date(now),
    async wait(milliseconds) {
      now += milliseconds;
      await afterPause();
    },
  });
});

const SECRET = Buffer.from("secret");
const ask = (changes: Partial<FeedRequest> = {}) =>
  feed({ principal, after: undefined, filter: undefined, limit: 100, waitMs: 0, deadline: now + 27_000, ...changes });
const idsOf = ({ events }: { events: string }) => (JSON.parse(events) as { id: string }[]).map(({ id }) => id);
/** Stores as the consumer does, which then changes the mark. */
async function store(...ids: string[]): Promise<void> {
  await memory.store(ids.map((id) => storable({ id })));
  mark = String(Number(mark) + 1);
}

describe("the feed", () => {
  it("the feed gives what is stored after each cursor, and always a cursor", async () => {
    await store("1");
    const start = await ask({ after: "start", limit: 1 });
    await store("2", "3");

    const second = await ask({ after: start.next, limit: 1 });
    const third = await ask({ after: second.next });
    const fourth = await ask({ after: third.next });

    expect([start, second, third, fourth].map(idsOf)).toEqual([["1"], ["2"], ["3"], []]);
    expect([start, second, third, fourth].map(({ next }) => next.length > 0)).toEqual([true, true, true, true]);
  });

  it("without a cursor the feed begins with what is stored from now on", async () => {
    await store("before");

    const answer = await ask();
    await store("after");

    expect(idsOf(answer)).toEqual([]);
    expect(idsOf(await ask({ after: answer.next }))).toEqual(["after"]);
  });

  it("a cursor of another tenant, filter or right to read is refused as cursor_mismatch", async () => {
    const { next: after } = await ask({ filter: { exact: { type: "com.example.sample" } } });

    const others: Partial<FeedRequest>[] = [
      { filter: undefined },
      { filter: { exact: { type: "com.example.other" } } },
      { principal: adminOf("other") },
      { principal: adminOf("default", { types: ["com.example.*"] }) },
    ];

    for (const other of others) {
      await expect(ask({ filter: { exact: { type: "com.example.sample" } }, after, ...other })).rejects.toMatchObject({
        code: "cursor_mismatch",
      });
    }
  });

  it.each(["", "x", "START", "now"])(
    "the cursor %j is refused as bad_cursor, before the database is asked",
    async (after) => {
      await expect(ask({ after })).rejects.toMatchObject({ code: "bad_cursor" });
      expect(reads).toEqual([]);
    },
  );

  it.each([
    ["restored", "was restored from a backup"],
    ["forgotten", "no longer retained"],
  ] as const)("a cursor whose place is %s is refused as cursor_expired, with the way to go on", async (kind, why) => {
    const { next: after } = await ask();
    await store("1");
    memory.answerPlaces(kind);

    await expect(ask({ after })).rejects.toMatchObject({
      code: "cursor_expired",
      message: expect.stringMatching(new RegExp(`${why}.*after=start`)),
    });
  });

  it("the feed asks for the types and sources that the key may read", async () => {
    await ask({ principal: adminOf("default", { types: ["com.a.*"], sources: ["/s"] }) });

    expect(reads[0]?.allowed).toEqual({ types: ["com.a.*"], sources: ["/s"] });
  });

  it("lagMs is the time for which an open transaction holds events back", async () => {
    memory.hold(1_234);
    const held = await ask();
    memory.hold(undefined);

    expect(held.lagMs).toBe(1_234);
    expect((await ask({ after: held.next })).lagMs).toBe(0);
  });
});

describe("a wait", () => {
  it("a wait ends with the event that comes", async () => {
    let pauses = 0;
    afterPause = async () => {
      pauses += 1;
      if (pauses === 3) await store("1");
    };

    const answer = await ask({ waitMs: 20_000 });

    expect(idsOf(answer)).toEqual(["1"]);
    expect(pauses).toBe(3);
  });

  it("a wait without an event ends in time, with a cursor", async () => {
    const began = now;

    const answer = await ask({ waitMs: 20_000 });

    expect(idsOf(answer)).toEqual([]);
    expect(now - began).toBe(20_000);
    await store("1");
    expect(idsOf(await ask({ after: answer.next }))).toEqual(["1"]);
  });

  it("a wait ends before the function does, with time for a last read", async () => {
    const deadline = now + 10_000;

    await ask({ waitMs: 20_000, deadline });

    expect(now).toBe(deadline - FEED_READ_RESERVE_MS);
  });

  it("a wait reads the database once, and then looks at the mark once a second", async () => {
    await ask({ waitMs: 20_000 });

    expect(reads).toHaveLength(1);
    expect(looks).toBe(20_000 / FEED_POLL_MS + 1);
  });

  it("an hour of waits with one cursor after the other and no store asks the database no more", async () => {
    await store("1");
    let { next } = await ask({ after: "start" });
    reads = [];
    const began = now;

    for (let request = 0; request < HOUR_MS / 20_000; request++)
      ({ next } = await ask({ after: next, waitMs: 20_000 }));

    expect(now - began).toBe(HOUR_MS);
    expect(reads).toEqual([]);
    await store("2");
    expect(idsOf(await ask({ after: next }))).toEqual(["2"]);
  });

  it("a wait asks the database at its pace where the mark cannot be read", async () => {
    mark = undefined;
    await ask({ waitMs: 10_000 });
    expect(reads.length).toBeGreaterThanOrEqual(9);

    // The mark is readable again, and is the one of before: nobody saw whether it was changed.
    mark = "0";
    reads = [];
    await ask({ waitMs: 10_000 });
    expect(reads).toHaveLength(1);
  });

  it("a cursor that was made while the mark could not be read asks the database", async () => {
    mark = undefined;
    const { next: after } = await ask();
    await memory.store([storable({ id: "1" })]);
    mark = "0";

    expect(idsOf(await ask({ after }))).toEqual(["1"]);
  });

  it("a wait asks the database at its pace while a transaction is open, because its events may come without a mark", async () => {
    memory.hold(50);
    await memory.store([storable({ id: "held" })]);
    afterPause = () => {
      if (reads.length === 4) memory.hold(undefined);
    };

    const answer = await ask({ after: "start", waitMs: 20_000 });

    expect(idsOf(answer)).toEqual(["held"]);
    expect(reads).toHaveLength(5);
  });

  it("a mark that changes between the look and the read leads to one read more, and no event is missed", async () => {
    const first = await ask();
    // The event is stored after the read, and its mark is written later still.
    await memory.store([storable({ id: "1" })]);
    expect(idsOf(await ask({ after: first.next }))).toEqual([]);
    mark = "1";

    expect(idsOf(await ask({ after: first.next }))).toEqual(["1"]);
  });
});

describe("a filter that matches nothing", () => {
  const filter = { exact: { type: "com.example.never" } };
  const storeMany = async (count: number) => {
    for (let n = 0; n < count; n += 100)
      await memory.store(Array.from({ length: 100 }, (_, i) => storable({ id: `${n + i}` })));
  };

  it("a filter that matches nothing is read on in larger and larger steps while they are quick", async () => {
    await storeMany(20_000);

    const answer = await ask({ after: "start", filter });

    expect(idsOf(answer)).toEqual([]);
    expect(reads.map(({ maxRows }) => maxRows)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  });

  it("a filter that matches nothing is answered after some seconds, with a cursor that goes on", async () => {
    await storeMany(20_000);
    readMs = FEED_SCAN_STATEMENT_MS;
    const began = now;
    const answers = [];
    for (let next = "start"; answers.length < 2; ) {
      const answer = await ask({ after: next, filter, waitMs: 20_000 });
      answers.push(answer);
      next = answer.next;
      if (answers.length === 1) expect(now - began).toBe(FEED_SCAN_MS);
    }

    expect(answers.map(idsOf)).toEqual([[], []]);
    expect(new Set(reads.map(({ maxRows }) => maxRows))).toEqual(new Set([1_000]));
    expect(new Set(reads.map(({ after }) => JSON.stringify(after))).size).toBe(reads.length);
  });

  it("a statement that takes too long ends the answer where the one before it has come to, so the next request is further", async () => {
    await storeMany(20_000);
    // The rows behind the first 7,000 are so large that only a thousand of them are read in time.
    failsOn = ({ maxRows, after }) => maxRows > 1_000 && typeof after !== "string" && Number(after.number) >= 70;

    const first = await ask({ after: "start", filter });
    const second = await ask({ after: first.next, filter });

    expect(reads.map(({ maxRows }) => maxRows)).toEqual([1_000, 2_000, 4_000, 8_000, 1_000, 2_000]);
    expect(idsOf(second)).toEqual([]);
    expect(second.next).not.toBe(first.next);
  });

  it("a first statement that fails is an error, and no empty answer", async () => {
    failsOn = () => true;

    await expect(ask({ after: "start", filter })).rejects.toThrow(DatabaseError);
  });

  it("a page without a filter reads no more rows than it has events", async () => {
    await storeMany(1_000);

    const answer = await ask({ after: "start", limit: 300 });

    expect(idsOf(answer)).toHaveLength(300);
    expect(reads.map(({ maxRows }) => maxRows)).toEqual([300]);
  });
});
