import type { Bucket, BucketChange } from "./lease-store.ts";

/**
 * The arithmetic of a bucket of tokens as virtual scheduling, also called GCRA (ITU-T I.371): a bucket is the one number
 * `fullAt`. Taking tokens moves it into the future by the time in which they come back, and the tokens that are missing
 * are those that come between now and `fullAt`. So a bucket fills by itself, and one addition takes tokens from it,
 * whichever process asks. Times are whole microseconds since the epoch: doubles hold them exactly.
 */

/** A limit by the second, as a bucket needs it. */
export type Rate = {
  perSecond: number;
  burst: number;
  /** The microseconds in which the empty bucket fills. */
  span: number;
};

const SECOND = 1_000_000;

/** Above this a limit limits nothing, and the numbers of a bucket would not be exact any more. */
const LARGEST = 1_000_000_000;

export function toRate(perSecond: number, burst: number = perSecond): Rate {
  const rate = { perSecond: Math.min(perSecond, LARGEST), burst: Math.min(burst, LARGEST) };
  return { ...rate, span: timeOf(rate, rate.burst) };
}

/** The microseconds in which tokens come back, rounded up. */
export function timeOf({ perSecond }: Pick<Rate, "perSecond">, tokens: number): number {
  return Math.ceil((tokens * SECOND) / perSecond);
}

/** The part of a bucket, from its bottom, that a taker leaves alone, between 0 and 1. */
export type Reserve = number;

/** Whole tokens that can be taken now. Without a bucket it is full. */
export function tokensIn(rate: Rate, bucket: Bucket | undefined, now: number, reserve: Reserve = 0): number {
  const room = roomFor(rate, reserve) - debtOf(rate, bucket, now);
  return Math.max(Math.min(Math.floor((room * rate.perSecond) / SECOND), rate.burst), 0);
}

/** Microseconds until so many tokens, at most all there may be, can be taken. */
export function timeUntil(rate: Rate, bucket: Bucket | undefined, now: number, tokens: number, reserve: Reserve = 0) {
  const most = Math.floor((roomFor(rate, reserve) * rate.perSecond) / SECOND);
  const needed = timeOf(rate, Math.max(Math.min(tokens, most), 1));
  return Math.max(debtOf(rate, bucket, now) + needed - roomFor(rate, reserve), 0);
}

/**
 * The change that takes tokens from a bucket as it was last seen. Its condition holds as long as so many tokens are left,
 * however many processes take some meanwhile.
 * @param least the tokens that must be there, where that is not the number to take
 */
export function takeTokens(
  rate: Rate,
  bucket: Bucket | undefined,
  now: number,
  { tokens, least = tokens, reserve = 0 }: { tokens: number; least?: number; reserve?: Reserve },
): BucketChange {
  const by = timeOf(rate, tokens);
  const to = { fullAt: now + debtOf(rate, bucket, now) + by, span: rate.span };
  if (bucket === undefined || bucket.fullAt < now) return { kind: "start", now, to };
  if (bucket.span !== rate.span) return { kind: "replace", read: bucket, to };
  const atMost = now + roomFor(rate, reserve) - timeOf(rate, least);
  return { kind: "add", by, span: rate.span, atLeast: now, atMost };
}

/** A bucket of one token has no part to leave alone. */
function roomFor(rate: Rate, reserve: Reserve): number {
  return rate.span - Math.min(Math.floor(rate.span * reserve), rate.span - timeOf(rate, 1));
}

/**
 * The microseconds in which the bucket fills from now on. A bucket of other limits keeps the part to which it was full, so
 * that a higher limit helps at once, and a lower one does not hold back for longer than its own bucket takes.
 */
function debtOf(rate: Rate, bucket: Bucket | undefined, now: number): number {
  if (bucket === undefined || bucket.fullAt <= now) return 0;
  const debt = bucket.fullAt - now;
  return bucket.span === rate.span ? debt : Math.ceil(Math.min(debt / bucket.span, 1) * rate.span);
}
