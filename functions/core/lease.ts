import type { BucketName, LimitChange, LimitRecord } from "./lease-store.ts";
import { type Rate, type Reserve, takeTokens, tokensIn } from "./token-bucket.ts";

/** Tokens of a lease, at most: 1,000 events a write with room for leases that are cut (see SHARE). */
const LEASE_MAX_TOKENS = 2_000;

/**
 * A lease that is more than its request needs takes at most this part of the tokens in a bucket. A hundred processes that
 * each lease for a few events leave the others their share.
 */
const SHARE = 1 / 8;

/**
 * Events of a day's quota that a process holds beyond its request, as a part of the quota: where the process ends, they are
 * lost, because nothing comes back before midnight. So 100 processes lose a tenth at most, and a lease that is so small costs a
 * thousand writes a day.
 */
const DAY_PART = 1_000;

/** After a lease that was spent, the next one may be larger by this factor. */
const GROWTH = 4;

/**
 * Tokens that are older than this are dropped, so that processes which are idle hold none. A process leases at least once in
 * this time.
 */
const LEASE_LIFETIME_MS = 60_000;

export const DAY_MS = 86_400_000;

/** The limits that a lease is under. */
export type Meters = {
  name: BucketName;
  rate: Rate | undefined;
  perDay: number | undefined;
  reserve: Reserve;
};

/** The tokens of one kind that a process has leased from a subject and not spent. */
export type LeasedTokens = {
  tokens: number;
  /** ms since the epoch. */
  leasedAt: number;
  /** Tokens of the last lease, and those spent since. */
  leased: number;
  spent: number;
  /** Events of a day that are counted and not spent: they hold until the day ends, however old. */
  day: number;
  dayTokens: number;
};

export const noTokens = (): LeasedTokens => ({
  tokens: 0,
  leasedAt: 0,
  leased: 0,
  spent: 0,
  day: 0,
  dayTokens: 0,
});

/** Tokens that a process can spend without asking. */
export function spendable(held: LeasedTokens, { rate, perDay }: Meters, nowMs: number): number {
  return Math.min(
    rate === undefined ? Number.POSITIVE_INFINITY : bucketTokens(held, nowMs),
    perDay === undefined ? Number.POSITIVE_INFINITY : dayTokens(held, nowMs),
  );
}

export function bucketTokens({ tokens, leasedAt }: LeasedTokens, nowMs: number): number {
  return isOld(leasedAt, nowMs) ? 0 : tokens;
}

/** Tokens of a day that another process, whose clock is ahead, has begun already are good. */
export function dayTokens({ day, dayTokens }: LeasedTokens, nowMs: number): number {
  return dayOf(nowMs) > day ? 0 : dayTokens;
}

/** The number of a UTC day. */
export const dayOf = (nowMs: number): number => Math.floor(nowMs / DAY_MS);

function isOld(leasedAt: number, nowMs: number): boolean {
  return nowMs - leasedAt > LEASE_LIFETIME_MS;
}

/** A change of the table, and the tokens that it gives. */
export type LeasePlan = { change: LimitChange; tokens: number; dayTokens: number; day: number };

/**
 * Plans the lease for a request that needs `need` tokens, by the record as it was last seen. Takes what the request needs as
 * far as it is there, and more if this process has spent its last lease. Undefined where there is nothing to do.
 * @param isWhole takes nothing unless the request gets all. It may have more than the bucket holds, see leastFor.
 */
export function planLease(
  held: LeasedTokens,
  meters: Meters,
  record: LimitRecord,
  { need, isWhole, nowMs }: { need: number; isWhole: boolean; nowMs: number },
): LeasePlan | undefined {
  const { name, rate, perDay, reserve } = meters;
  const now = nowMs * 1_000;
  const wanted = nextLease(held, nowMs);
  const hasTokens = bucketTokens(held, nowMs);
  const hasOfDay = dayTokens(held, nowMs);
  const bucket = record[name];
  const inBucket = rate === undefined ? 0 : tokensIn(rate, bucket, now, reserve);
  const lacks = need - hasTokens;
  const isOverdrawn = isWhole && lacks > inBucket && inBucket >= leastFor(lacks, isWhole);
  const ofBucket = isOverdrawn ? lacks : sizeOf(lacks, inBucket, wanted);
  const ofDay = sizeOf(need - hasOfDay, leftOfDay(record, perDay, nowMs), Math.min(wanted, keptOfDay(perDay)));
  const goal = Math.min(
    rate === undefined ? Number.POSITIVE_INFINITY : hasTokens + ofBucket,
    perDay === undefined ? Number.POSITIVE_INFINITY : hasOfDay + ofDay,
  );
  if (goal <= spendable(held, meters, nowMs) || (isWhole && goal < need)) return planConversion(meters, record, nowMs);
  const tokens = rate === undefined ? 0 : Math.max(goal - hasTokens, 0);
  const count = perDay === undefined ? 0 : Math.max(goal - hasOfDay, 0);
  const day = Math.max(dayOf(nowMs), record.day?.day ?? 0);
  const least = isOverdrawn ? leastFor(tokens, isWhole) : tokens;
  const change: LimitChange = {
    buckets: {
      ...(rate !== undefined && tokens > 0 && { [name]: takeTokens(rate, bucket, now, { tokens, least, reserve }) }),
    },
    ...(perDay !== undefined &&
      count > 0 && {
        day:
          record.day?.day === day
            ? { kind: "add", day, by: count, atMost: perDay - count }
            : { kind: "start", to: { day, count } },
      }),
    expires: expiry(rate, nowMs),
  };
  return { change, tokens, dayTokens: count, day };
}

/**
 * Tokens that a bucket must hold for a request. A whole one passes as soon as there is any, and the others are paid for
 * afterwards: while single events take each token as it comes, a bucket never holds enough for a larger request.
 */
export function leastFor(need: number, isWhole: boolean): number {
  return isWhole ? Math.min(need, 1) : need;
}

/** Tokens that a process would have after the lease for a request, by the record as it was last seen. */
export function reachable(
  held: LeasedTokens,
  meters: Meters,
  record: LimitRecord,
  request: { need: number; isWhole: boolean; nowMs: number },
): number {
  const after = { ...held };
  const plan = planLease(held, meters, record, request);
  if (plan !== undefined) addLease(after, plan, request.nowMs);
  return spendable(after, meters, request.nowMs);
}

/** Brings an empty bucket of other limits under the present ones, because it would fill at the old rate until somebody takes. */
function planConversion({ name, rate }: Meters, record: LimitRecord, nowMs: number): LeasePlan | undefined {
  const bucket = record[name];
  const now = nowMs * 1_000;
  if (rate === undefined || bucket === undefined || bucket.span === rate.span || bucket.fullAt < now) return undefined;
  const change = { buckets: { [name]: takeTokens(rate, bucket, now, { tokens: 0 }) }, expires: expiry(rate, nowMs) };
  return { change, tokens: 0, dayTokens: 0, day: 0 };
}

/** Adds the tokens of a plan that the table has accepted. */
export function addLease(held: LeasedTokens, plan: LeasePlan, nowMs: number): void {
  held.tokens = bucketTokens(held, nowMs) + plan.tokens;
  held.dayTokens = dayTokens(held, nowMs) + plan.dayTokens;
  held.day = plan.dayTokens > 0 ? plan.day : held.day;
  held.leased = Math.max(plan.tokens, plan.dayTokens);
  held.spent = 0;
  held.leasedAt = nowMs;
}

/** Spends tokens, or takes them back where the number is negative. */
export function spendTokens(held: LeasedTokens, { rate, perDay }: Meters, tokens: number): void {
  if (rate !== undefined) held.tokens -= tokens;
  if (perDay !== undefined) held.dayTokens -= tokens;
  held.spent += tokens;
}

/**
 * Takes events of the day that a process need not keep out of those that it holds, at most `most`, and plans their return to
 * the table. Undefined where there are none.
 */
export function releaseDay(held: LeasedTokens, meters: Meters, most: number, nowMs: number): LimitChange | undefined {
  const tokens = Math.min(dayTokens(held, nowMs) - keptOfDay(meters.perDay), most);
  if (meters.perDay === undefined || tokens <= 0) return undefined;
  held.dayTokens -= tokens;
  const day = { kind: "add", day: held.day, by: -tokens, atMost: Number.MAX_SAFE_INTEGER } as const;
  return { buckets: {}, day, expires: expiry(meters.rate, nowMs) };
}

/** Takes the events of a day back into a process whose return the table has not counted. */
export function keepDay(held: LeasedTokens, { day }: LimitChange): void {
  if (day?.kind === "add" && day.day === held.day) held.dayTokens -= day.by;
}

/** Events that are left of the day's quota in the table. */
export function leftOfDay({ day }: LimitRecord, perDay: number | undefined, nowMs: number): number {
  if (perDay === undefined) return 0;
  return Math.max(perDay - (day !== undefined && day.day >= dayOf(nowMs) ? day.count : 0), 0);
}

function keptOfDay(perDay: number | undefined): number {
  return Math.min(Math.floor((perDay ?? 0) / DAY_PART), LEASE_MAX_TOKENS);
}

/** The size of a lease beyond its need: more than the last one if that was spent, else as much as was spent of it. */
function nextLease({ leased, leasedAt, spent }: LeasedTokens, nowMs: number): number {
  return isOld(leasedAt, nowMs) ? Math.min(spent, LEASE_MAX_TOKENS) : Math.min(leased * GROWTH, LEASE_MAX_TOKENS);
}

function sizeOf(need: number, available: number, wanted: number): number {
  if (need <= 0) return 0;
  return Math.min(available, Math.max(need, Math.min(wanted, Math.floor(available * SHARE))));
}

/** Two days after the bucket is full and the day has ended, so that clocks and an oversize request make no difference. */
function expiry(rate: Rate | undefined, nowMs: number): number {
  return Math.ceil(nowMs / 1_000 + (rate?.span ?? 0) / 1_000_000) + (2 * DAY_MS) / 1_000;
}
