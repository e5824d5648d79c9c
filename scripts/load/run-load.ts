import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "../access/api-client.ts";
import { type Api, postEvents } from "../send/post-events.ts";
import type { LiveLine } from "./live-line.ts";
import type { createMix, LoadEvent } from "./mix.ts";
import { sendAtRate } from "./pace.ts";
import { postOnce } from "./post.ts";
import { createTally, type LoadResult, type Tally } from "./report.ts";
import { countDeadLetters, countStored, createProbes, type LoadSource } from "./stored.ts";

export type LoadOptions = {
  api: ApiClient;
  to: Api;
  mix: ReturnType<typeof createMix>;
  sources: readonly LoadSource[];
  /** Events per second. */
  rate: number;
  forMs: number;
  /** Events of a request; a mix of sizes where it is missing. */
  batch?: number;
  /** Ends the sending. */
  signal: AbortSignal;
  live: LiveLine;
  /** The time for which the count of stored events may stand still after the last request. */
  giveUpAfterMs?: number;
};

/** The usual sizes of requests: most producers send an event as it happens, shippers of logs send many. */
const SIZES = [1, 1, 1, 1, 5, 10, 20, 100];

/** Far more than a rate needs that the stack can keep up with. */
const REQUESTS_AT_ONCE = 256;

const LIVE_EVERY_MS = 1_000;

/** A paused database starts in about fifteen seconds, and a batch has a window. */
const GIVE_UP_AFTER_MS = 60_000;

/** Sends events at a rate, and waits until what was accepted is stored. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { api, to, mix, sources, rate, forMs, batch, signal, live, giveUpAfterMs = GIVE_UP_AFTER_MS } = options;
  const tally = createTally();
  const startedAt = Date.now();
  const begun = performance.now();
  const done = new AbortController();
  const probes = createProbes(done.signal);
  let stored: number | undefined;
  let isCounted = false;
  const watching = (async () => {
    while (!done.signal.aborted) {
      const count = await countStored(api, sources, startedAt);
      isCounted = count !== undefined;
      stored = count ?? stored;
      live.show(liveLine({ tally, stored, lagMs: probes.lagMs(), seconds: secondsSince(begun) }));
      await delay(LIVE_EVERY_MS, undefined, { signal: done.signal }).catch(() => undefined);
    }
  })();
  const unknown: { tenant: string | undefined; events: LoadEvent[] }[] = [];
  let requests = 0;
  try {
    await sendAtRate({
      eventsPerSecond: rate,
      events: Math.max(1, Math.round((rate * forMs) / 1_000)),
      nextSize: () => batch ?? SIZES[Math.floor(Math.random() * SIZES.length)] ?? 1,
      atOnce: REQUESTS_AT_ONCE,
      signal,
      async send(size, due) {
        const { tenant, source } = sources[requests++ % sources.length] as LoadSource;
        const events = Array.from({ length: size }, () => mix.event(source));
        tally.sent += size;
        tally.requests += 1;
        const verdicts = await postOnce({ ...to, tenant }, events);
        tally.answerMs.push(performance.now() - due);
        tally.add(verdicts);
        const open = verdicts.filter(({ status }) => status === "unknown").map(({ event }) => event);
        if (open.length > 0) unknown.push({ tenant, events: open });
        const accepted = verdicts.find(({ status }) => status === "accepted");
        if (accepted !== undefined) probes.offer({ ...to, tenant }, accepted.event);
      },
    });
    const seconds = secondsSince(begun);
    const sentAgain = tally.unknown;
    for (const { tenant, events } of unknown) await sendAgain({ ...to, tenant }, events, tally);
    stored = await awaitStored(() => ({ stored, isCounted }), tally, giveUpAfterMs);
    const missing = stored === undefined || stored < tally.accepted;
    const deadLetters = missing ? await countDeadLetters(api, sources) : 0;
    return { tally, seconds, sentAgain, readableMs: probes.milliseconds, stored, deadLetters };
  } finally {
    done.abort();
    await watching;
    live.end();
  }
}

/** Sends events again of which nothing is known; they have their ids, so none is stored twice. */
async function sendAgain(to: Api, events: readonly LoadEvent[], tally: Tally): Promise<void> {
  const lines = events.map(({ json }, index) => ({ line: index + 1, json }));
  const outcomes = await postEvents(to, lines, { onRetry: () => undefined });
  for (const { line, status } of outcomes) {
    const event = events[line - 1];
    if (event === undefined || status === "unsent") continue;
    tally.unknown -= 1;
    tally.add([
      status === "invalid" ? { event, status: "refused", code: "invalid", why: "" } : { event, status: "accepted" },
    ]);
  }
}

type Count = { stored: number | undefined; isCounted: boolean };

/** Waits until all accepted events are counted as stored, or for as long as the count grows or is not answered. */
async function awaitStored(count: () => Count, tally: Tally, giveUpAfterMs: number): Promise<number | undefined> {
  let last = count().stored;
  let until = performance.now() + giveUpAfterMs;
  while ((last ?? -1) < tally.accepted && performance.now() < until) {
    await delay(LIVE_EVERY_MS / 4);
    const { stored, isCounted } = count();
    // A stack that is behind answers no queries, and catches up all the same.
    if (stored !== last || !isCounted) until = performance.now() + giveUpAfterMs;
    last = stored;
  }
  return last;
}

type Moment = { tally: Tally; stored: number | undefined; lagMs: number | undefined; seconds: number };

function liveLine({ tally, stored, lagMs, seconds }: Moment): string {
  const { sent, accepted, refused } = tally;
  const lag = lagMs === undefined ? "-" : `${(lagMs / 1_000).toFixed(1)} s`;
  return `${Math.round(seconds)} s: ${sent} sent, ${accepted} accepted, ${refused} refused, ${stored ?? "-"} stored, lag ${lag}`;
}

const secondsSince = (begun: number) => (performance.now() - begun) / 1_000;
