import {
  CIRCUIT_FAILURES,
  DELIVERIES_HELD,
  DELIVERIES_HELD_BYTES,
  DELIVERIES_IN_FLIGHT,
  FAST_ANSWER_MS,
  IN_FLIGHT_OF_ALL_UNKNOWN,
  IN_FLIGHT_OF_ONE,
  IN_FLIGHT_OF_UNKNOWN,
} from "../core/subscription-limits.ts";
import { DatabaseError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { AttemptResult, Claim, DeliveryWork } from "../core/delivery-work.ts";
import { intoNotices, type PendingNotice } from "./deliver.ts";
import {
  LEASE_RESERVE_MS,
  ROUND_RESERVE_MS,
  SETTLE_AT_ONCE,
  SETTLE_BESIDE_MIN,
  SETTLE_EVERY_MS,
  SETTLE_MAX,
  SETTLE_MIN,
  SETTLE_RETRY_FIRST_MS,
  SETTLE_RETRY_MAX_MS,
  SETTLES_UNDER_WAY,
} from "./limits.ts";
import { createSignal } from "./signal.ts";

export type SendingDeps = {
  work: Pick<DeliveryWork, "settle" | "release">;
  deliver: (notice: PendingNotice, deadline: number) => Promise<AttemptResult[]>;
  clock: Clock;
  wait: (milliseconds: number) => Promise<unknown>;
};

/** The deliveries of a subscription here; `isAnswering`: its last attempt succeeded; `isFast`: and soon; `failures`: in a row. */
type SinkState = {
  waiting: { notice: PendingNotice; leaseEnds: number }[];
  underWay: number;
  isAnswering: boolean;
  isFast: boolean;
  failures: number;
};

/** Attempts by what became of them. */
export type AttemptCounts = { delivered: number; later: number; failed: number };

/**
 * Sends what a worker has claimed, so many notices at once, and settles the results in small groups while others are under way: a
 * slow sink holds nothing but its own place.
 * @param until when the function is stopped, ms since the epoch
 * @param on `room`: a place is free. `settled`: results are written, behind which others may be due
 */
export function createSending(
  deps: SendingDeps,
  worker: string,
  until: number,
  on: { room: () => void; settled: () => void },
) {
  const { work, deliver, clock, wait } = deps;
  const deadline = until - ROUND_RESERVE_MS / 2;
  const counts: AttemptCounts = { delivered: 0, later: 0, failed: 0 };
  const sinks = new Map<string, SinkState>();
  const unsent: string[] = [];
  const underWay = new Set<Promise<void>>();
  const ends = createSignal();
  let held = 0;
  let heldBytes = 0;
  /** Requests to sinks that are not answering. */
  let unknown = 0;
  /** Results of requests that are not written, and their number. */
  const results: (readonly AttemptResult[])[] = [];
  let unwritten = 0;
  const settling = new Set<Promise<void>>();
  let isCollecting = false;
  let failure: unknown;
  let hasNotices = false;
  let isHastened = false;
  let isEnding = false;

  /** Begins what waits, one of each subscription after the other. */
  function begin(): void {
    for (const [id, sink] of sinks) {
      if (underWay.size >= DELIVERIES_IN_FLIGHT) return;
      const next = sink.underWay < mostOf(sink) ? sink.waiting.shift() : undefined;
      if (next === undefined) continue;
      // Behind the others, to which this loop comes first.
      sinks.delete(id);
      sinks.set(id, sink);
      const { notice, leaseEnds } = next;
      const endsAt = Math.min(until - ROUND_RESERVE_MS, leaseEnds - LEASE_RESERVE_MS);
      if (clock().getTime() + notice.subscription.timeoutMs > endsAt) {
        unsent.push(...notice.deliveries.map(({ id }) => id));
        drop(notice);
        continue;
      }
      change(sink, { underWay: sink.underWay + 1 });
      const attempt = send(notice, endsAt, ([result]) => {
        underWay.delete(attempt);
        note(sink, result);
      });
      underWay.add(attempt);
    }
  }

  function mostOf({ isAnswering }: SinkState): number {
    if (isAnswering) return IN_FLIGHT_OF_ONE;
    return unknown < IN_FLIGHT_OF_ALL_UNKNOWN ? IN_FLIGHT_OF_UNKNOWN : 1;
  }

  function change(sink: SinkState, changes: Partial<SinkState>): void {
    if (!sink.isAnswering) unknown -= sink.underWay;
    Object.assign(sink, changes);
    if (!sink.isAnswering) unknown += sink.underWay;
  }

  /** Takes the end of an attempt in. Behind so many failures the circuit is open: what waits here is not tried before it closes. */
  function note(sink: SinkState, result: AttemptResult | undefined): void {
    const isAnswering = result?.status === "delivered";
    const isFast = isAnswering && result.durationMs <= FAST_ANSWER_MS;
    const failures = isAnswering ? 0 : sink.failures + 1;
    change(sink, { underWay: sink.underWay - 1, isAnswering, isFast, failures });
    if (failures >= CIRCUIT_FAILURES) giveBack(sink);
  }

  function giveBack({ waiting }: SinkState): void {
    for (const { notice } of waiting.splice(0)) {
      unsent.push(...notice.deliveries.map(({ id }) => id));
      drop(notice);
    }
  }

  function drop({ deliveries }: PendingNotice): void {
    held -= deliveries.length;
    heldBytes -= lengthOf(deliveries);
  }

  async function send(
    notice: PendingNotice,
    endsAt: number,
    onEnd: (results: readonly AttemptResult[]) => void,
  ): Promise<void> {
    const ofNotice = await deliver(notice, endsAt);
    onEnd(ofNotice);
    drop(notice);
    results.push(ofNotice);
    unwritten += ofNotice.length;
    settleNext();
    begin();
    if (isEnough()) ends.raise();
    on.room();
  }

  /** Writes the next group of results. One of many is written meanwhile: its call waits in the database while the answer to this one is read. */
  function settleNext(): void {
    if (results.length === 0 || isCollecting || settling.size >= SETTLES_UNDER_WAY) return;
    if (settling.size > 0 && unwritten < SETTLE_BESIDE_MIN) return;
    const group = settle(() => settling.delete(group));
    settling.add(group);
  }

  async function settle(onEnd: () => void): Promise<void> {
    isCollecting = true;
    await collect();
    isCollecting = false;
    const written = write(nextGroup());
    settleNext();
    await written.catch((error: unknown) => (failure ??= error));
    onEnd();
    settleNext();
    on.settled();
  }

  /** The results of one request go together: a batch is one in the database too. */
  function nextGroup(): AttemptResult[] {
    const group: AttemptResult[] = [];
    while (results.length > 0 && group.length < SETTLE_AT_ONCE) group.push(...(results.shift() ?? []));
    unwritten -= group.length;
    isHastened = false;
    return group;
  }

  /** As many as are still to come. */
  function isEnough(): boolean {
    return isHastened || underWay.size === 0 || unwritten >= Math.min(Math.max(held, SETTLE_MIN), SETTLE_MAX);
  }

  /** Waits for more results, and not for long. */
  async function collect(): Promise<void> {
    const endsAt = clock().getTime() + SETTLE_EVERY_MS;
    while (!isEnough() && clock().getTime() < endsAt)
      await Promise.race([ends.next(), wait(endsAt - clock().getTime())]);
  }

  /** A result that is not written is sent again when its lease ends, so an outage is waited for. @throws DatabaseError */
  async function write(group: readonly AttemptResult[]): Promise<void> {
    for (let pause = SETTLE_RETRY_FIRST_MS; ; pause = Math.min(2 * pause, SETTLE_RETRY_MAX_MS)) {
      try {
        // Of two writes under way, the answer that is read last need not be the newest.
        const found = await work.settle(worker, group, deadline);
        hasNotices ||= found;
        for (const { status } of group) counts[status] += 1;
        return;
      } catch (error) {
        const isWorthIt = error instanceof DatabaseError && error.isOutage && clock().getTime() + pause < deadline;
        if (!isWorthIt) throw error;
        await wait(pause);
      }
    }
  }

  return {
    counts,

    /** Deliveries that may be claimed now. */
    room: () => (heldBytes < DELIVERIES_HELD_BYTES ? DELIVERIES_HELD - held : 0),

    /** Subscriptions whose last answer came soon. */
    fast: () => [...sinks].flatMap(([id, { isFast }]) => (isFast ? [id] : [])),

    /** Nothing is under way, and all results are written. */
    isIdle: () => held === 0 && settling.size === 0,

    /** Results are being written, or wait for others. */
    isSettling: () => settling.size > 0,

    /** The results that wait are written now. */
    hasten(): void {
      isHastened = true;
      ends.raise();
    },

    /** The last results that were written left notices to be sent. */
    hasNotices: () => hasNotices,

    /** Results could not be written. */
    hasFailed: () => failure !== undefined,

    /** @param leaseEnds of the claim, ms since the epoch */
    add(claim: Claim, leaseEnds: number): void {
      if (isEnding) return void unsent.push(...claim.deliveries.map(({ id }) => id));
      for (const notice of intoNotices(claim)) {
        const { id } = notice.subscription;
        const sink = sinks.get(id) ?? { waiting: [], underWay: 0, isAnswering: false, isFast: false, failures: 0 };
        sink.waiting.push({ notice, leaseEnds });
        sinks.set(id, sink);
      }
      held += claim.deliveries.length;
      heldBytes += lengthOf(claim.deliveries);
      begin();
    },

    /** Begins no more, waits for what is under way, and gives the rest back. @throws the first error of a write */
    async end(): Promise<void> {
      isEnding = true;
      for (const sink of sinks.values()) giveBack(sink);
      while (underWay.size > 0) await Promise.all(underWay);
      while (settling.size > 0) await Promise.all(settling);
      if (unsent.length > 0) await work.release(worker, unsent, deadline);
      if (failure !== undefined) throw failure;
    },
  };
}

const lengthOf = (deliveries: Claim["deliveries"]): number =>
  deliveries.reduce((sum, { event }) => sum + event.length, 0);
