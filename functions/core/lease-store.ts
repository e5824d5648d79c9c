/**
 * The limits of a subject (a tenant or a key) as the table keeps them for all processes, and the port to it. The arithmetic
 * is in token-bucket.ts.
 */
export type LimitRecord = { events?: Bucket; requests?: Bucket; day?: DayCount };

/** The buckets of a subject. */
export type BucketName = "events" | "requests";

/** A bucket of tokens. Both numbers are whole microseconds. */
export type Bucket = {
  /** The time at which the bucket is full again, since the epoch. */
  fullAt: number;
  /** The time in which the empty bucket fills: burst divided by rate. It tells the limits under which `fullAt` holds. */
  span: number;
};

/** The events of a UTC day that are leased. */
type DayCount = {
  /** Days since the epoch. */
  day: number;
  count: number;
};

/** One change of a bucket, with the condition under which it happens. */
export type BucketChange =
  /** The bucket is full: there is none yet, or its `fullAt` is before `now`. */
  | { kind: "start"; now: number; to: Bucket }
  /** The bucket has this span, and its `fullAt` is within the bounds, both included. */
  | { kind: "add"; by: number; span: number; atLeast: number; atMost: number }
  /** The bucket is still as it was read. */
  | { kind: "replace"; read: Bucket; to: Bucket };

/** One change of a day's count, with the condition under which it happens. */
export type DayChange =
  /** There is no count yet, or that of an earlier day. */
  | { kind: "start"; to: DayCount }
  /** The count is of this day and at most `atMost`. A negative number gives events back. */
  | { kind: "add"; day: number; by: number; atMost: number };

/** Changes of one subject that happen together. */
export type LimitChange = {
  buckets: Partial<Record<BucketName, BucketChange>>;
  day?: DayChange;
  /** The time after which the record says nothing any more, in seconds since the epoch: the table may delete it. */
  expires: number;
};

/** The limits of all subjects. Every call may throw an AccessError, at the latest after `timeoutMs`. A throttled one changes nothing. */
export type LeaseStore = {
  /** The record as it is now: a read after a change sees the change. It is empty where there is none. */
  read(subject: string, timeoutMs: number): Promise<LimitRecord>;
  /** Makes all changes where all their conditions hold, and returns the record after them; else changes nothing. */
  change(subject: string, change: LimitChange, timeoutMs: number): Promise<LimitRecord | undefined>;
};

/** The record after a change; undefined where a condition does not hold. */
export function applyChange(record: LimitRecord, { buckets, day }: LimitChange): LimitRecord | undefined {
  const changed = { ...record };
  for (const name of ["events", "requests"] as const) {
    const change = buckets[name];
    if (change === undefined) continue;
    const bucket = changeBucket(record[name], change);
    if (bucket === undefined) return undefined;
    changed[name] = bucket;
  }
  if (day === undefined) return changed;
  const count = changeDay(record.day, day);
  return count === undefined ? undefined : { ...changed, day: count };
}

function changeBucket(bucket: Bucket | undefined, change: BucketChange): Bucket | undefined {
  switch (change.kind) {
    case "start":
      return bucket === undefined || bucket.fullAt < change.now ? change.to : undefined;
    case "add": {
      if (bucket === undefined || bucket.span !== change.span) return undefined;
      const isWithin = bucket.fullAt >= change.atLeast && bucket.fullAt <= change.atMost;
      return isWithin ? { ...bucket, fullAt: bucket.fullAt + change.by } : undefined;
    }
    case "replace":
      return bucket?.fullAt === change.read.fullAt && bucket.span === change.read.span ? change.to : undefined;
  }
}

function changeDay(count: DayCount | undefined, change: DayChange): DayCount | undefined {
  switch (change.kind) {
    case "start":
      return count === undefined || count.day < change.to.day ? change.to : undefined;
    case "add":
      return count?.day === change.day && count.count <= change.atMost
        ? { day: change.day, count: count.count + change.by }
        : undefined;
  }
}
