import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FeedPage, follow, type FollowDeps } from "../../../console/screens/live/follow.ts";

const OVERLOADED = new Error("queries_shed");
const EXPIRED = new Error("cursor_expired");

/** A feed of numbered events whose cursor is the number of those before it; some requests fail. */
function feed(total: number, { failures = [] as number[], fault = OVERLOADED } = {}) {
  let asked = 0;
  const ask = (after: string | undefined): Promise<FeedPage> => {
    asked += 1;
    if (failures.includes(asked)) return Promise.reject(fault);
    const from = Number(after ?? 0);
    const to = Math.min(total, from + 7);
    return Promise.resolve({ events: numbers(from, to), next: `${to}`, lagMs: 0 });
  };
  return { ask, asked: () => asked };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => ({ n: from + index }));

/** Follows until so many events have come, and collects what a screen would get. */
async function run(deps: Partial<FollowDeps> & Pick<FollowDeps, "ask">, from: string | undefined, until: number) {
  const stop = new AbortController();
  const pages: FeedPage[] = [];
  const waits: unknown[] = [];
  await follow(
    {
      onPage: (page) => {
        pages.push(page);
        if (pages.flatMap(({ events }) => events).length >= until) stop.abort();
      },
      onWait: (wait) => waits.push(wait),
      pause: () => Promise.resolve(),
      retryAfter: (error) => (error === OVERLOADED ? 10 : undefined),
      ...deps,
    },
    from,
    stop.signal,
  );
  return { pages, waits, events: pages.flatMap(({ events }) => events) };
}

describe("following the feed", () => {
  it("every event comes once and in order, whichever requests fail and wherever the follower stops", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        async (total, failures, stopAt) => {
          const { ask } = feed(total, { failures });
          const first = await run({ ask }, undefined, Math.min(stopAt, total));
          const left = total - first.events.length;
          const rest = left === 0 ? [] : (await run({ ask }, first.pages.at(-1)?.next, left)).events;

          expect([...first.events, ...rest]).toEqual(numbers(0, total));
        },
      ),
    );
  });

  it("a refusal that passes is said with its wait, and taken back when the feed answers again", async () => {
    const { waits } = await run(feed(7, { failures: [1, 2] }), undefined, 7);

    expect(waits).toEqual([
      { error: OVERLOADED, milliseconds: 10 },
      { error: OVERLOADED, milliseconds: 10 },
      undefined,
    ]);
  });

  it("an error that does not pass ends it with that error", async () => {
    await expect(run(feed(7, { failures: [2], fault: EXPIRED }), undefined, 9)).rejects.toBe(EXPIRED);
  });

  it("a request under way when it stops moves no cursor, and its end is no error", async () => {
    const stop = new AbortController();
    const pages: FeedPage[] = [];
    const ask = (_: unknown, signal: AbortSignal) =>
      new Promise<FeedPage>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
        queueMicrotask(() => stop.abort());
      });

    await follow(
      {
        ask,
        onPage: (page) => pages.push(page),
        onWait: () => undefined,
        pause: () => Promise.resolve(),
        retryAfter: () => undefined,
      },
      "5",
      stop.signal,
    );

    expect(pages).toEqual([]);
  });
});
