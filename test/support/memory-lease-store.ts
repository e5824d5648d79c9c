import { AccessError } from "../../functions/core/access.ts";
import { applyChange, type LeaseStore, type LimitRecord } from "../../functions/core/lease-store.ts";

/** DynamoDB's limits for one item: a write of up to 1 KB, a strongly consistent read of up to 4 KB. */
export const ITEM_THROUGHPUT = { reads: 3_000, writes: 1_000 };

/**
 * A lease store in memory that several limiters share. It counts its calls, can fail, and throttles calls.
 * @param options.nowMs throttles the calls for each item that are beyond ITEM_THROUGHPUT, by this clock
 */
export function memoryLeaseStore({ nowMs }: { nowMs?: () => number } = {}) {
  const records = new Map<string, LimitRecord>();
  const calls = { reads: 0, writes: 0, refusedWrites: 0 };
  let isDown = false;
  let isThrottled = false;
  const throttled: string[] = [];
  const isWithin = nowMs === undefined ? () => true : itemThroughput(nowMs);
  const answer = async (subject: string, kind: keyof typeof ITEM_THROUGHPUT) => {
    // The callers of one moment take it in parts.
    await Promise.resolve();
    if (isDown) throw new AccessError("The table did not answer.");
    if (!isThrottled && isWithin(`${kind} ${subject}`, ITEM_THROUGHPUT[kind])) return;
    throttled.push(subject);
    throw new AccessError("The table throttled a call.", { isThrottled: true });
  };
  const store: LeaseStore = {
    async read(subject) {
      calls.reads++;
      await answer(subject, "reads");
      return { ...records.get(subject) };
    },
    async change(subject, change) {
      calls.writes++;
      await answer(subject, "writes");
      const record = applyChange(records.get(subject) ?? {}, change);
      if (record === undefined) calls.refusedWrites++;
      else records.set(subject, record);
      return record && { ...record };
    },
  };
  return {
    store,
    calls,
    records,
    /** The subjects of the calls that were throttled. */
    throttled,
    setThrottled: (throttles: boolean) => {
      isThrottled = throttles;
    },
    setDown: (down: boolean) => {
      isDown = down;
    },
  };
}

/** Tells whether one more call is within a throughput; what a tenth of a second leaves unused is lost. */
function itemThroughput(nowMs: () => number) {
  const windows = new Map<string, { tenth: number; calls: number }>();
  return (item: string, perSecond: number): boolean => {
    const tenth = Math.floor(nowMs() / 100);
    const known = windows.get(item);
    const calls = known?.tenth === tenth ? known.calls + 1 : 1;
    windows.set(item, { tenth, calls });
    return calls <= perSecond / 10;
  };
}
