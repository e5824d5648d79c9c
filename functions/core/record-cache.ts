import { AccessError } from "./access.ts";
import type { Clock } from "./ports.ts";

/** A change is seen by every process after this time at the latest. */
export const RECORD_FRESH_MS = 10_000;

/** While the table does not answer, a known record is used up to this age. */
export const RECORD_STALE_MS = 15 * 60_000;

/** A request with a known record waits this long for a table that does not answer; it usually takes some ten milliseconds. */
export const KNOWN_WAIT_MS = 300;

/**
 * Pauses after a failed read, in which nobody asks the table. Requests with a known record need it less, and each that asks
 * holds its process up.
 */
const PAUSE_MS = { known: 5_000, unknown: 1_000 };

/** Records in one process; more keys than a function process meets in a quarter of an hour. */
const MAX_RECORDS = 10_000;

/** Names without a record, in a list of their own: a flood of them must not push out the records. */
const MAX_ABSENT = 1_000;

/** The state of a table as one process sees it; the caches of all its records share it. */
export type TableHealth = { failedAt: number };

export const createTableHealth = (): TableHealth => ({ failedAt: Number.NEGATIVE_INFINITY });

export type RecordCacheDeps<Value> = {
  /** Reads a record as it is now. @throws AccessError */
  load: (name: string) => Promise<Value | undefined>;
  health: TableHealth;
  clock: Clock;
  /** Resolves after so many milliseconds. */
  wait: (milliseconds: number) => Promise<unknown>;
  /** Called for each use of a record that could not be read again. */
  onStale: () => void;
};

const LATE = { error: new AccessError("The table did not answer in time.") };

const isOutage = (error: unknown): boolean => error instanceof AccessError && error.isOutage;

type Known<Value> = { value: Value; readAt: number };

/**
 * Keeps records, and the absence of others, for ten seconds. The age counts from the start of the read, so a change is
 * never seen later than that. Concurrent calls for one name share one read.
 */
export function createRecordCache<Value extends object>({
  load,
  health,
  clock,
  wait,
  onStale,
}: RecordCacheDeps<Value>) {
  const records = new Map<string, Known<Value>>();
  const absent = new Map<string, number>();
  const reading = new Map<string, { found: Promise<Value | undefined>; startedAt: number }>();

  const now = (): number => clock().getTime();
  // A clock that was set back makes an age negative, which is no age to rely on.
  const isWithin = (since: number, milliseconds: number): boolean => {
    const age = now() - since;
    return age >= 0 && age < milliseconds;
  };

  async function read(name: string, readAt: number): Promise<Value | undefined> {
    try {
      const value = await load(name);
      // A later read may have come back before this one.
      if ((records.get(name)?.readAt ?? absent.get(name) ?? readAt) > readAt) return value;
      records.delete(name);
      absent.delete(name);
      if (value === undefined) remember(absent, name, readAt, MAX_ABSENT);
      else remember(records, name, { value, readAt }, MAX_RECORDS);
      health.failedAt = Number.NEGATIVE_INFINITY;
      return value;
    } catch (error) {
      if (isOutage(error)) health.failedAt = now();
      throw error;
    } finally {
      if (reading.get(name)?.startedAt === readAt) reading.delete(name);
    }
  }

  /** @throws AccessError where the table does not answer, or has a damaged item */
  function readShared(name: string): Promise<Value | undefined> {
    const shared = reading.get(name);
    // A read may be left over from before the process was frozen.
    if (shared !== undefined && isWithin(shared.startedAt, RECORD_FRESH_MS)) return shared.found;
    const startedAt = now();
    const found = read(name, startedAt);
    reading.set(name, { found, startedAt });
    // Whoever waits for it gets its error; nobody may be waiting any more.
    found.catch(() => undefined);
    return found;
  }

  /**
   * Reads a known record again, but waits for the table only a moment.
   * @throws AccessError for a damaged item
   */
  async function readAgain(name: string, known: Known<Value>): Promise<Value | undefined> {
    if (!isWithin(health.failedAt, PAUSE_MS.known)) {
      const outcome = await Promise.race([
        readShared(name).then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        ),
        wait(KNOWN_WAIT_MS).then(() => LATE),
      ]);
      if ("value" in outcome) return outcome.value;
      if (!isOutage(outcome.error)) throw outcome.error;
      health.failedAt = now();
    }
    onStale();
    return known.value;
  }

  /**
   * Finds a record: at once where it is fresh, because every request asks, and else by a read.
   * @throws AccessError when the table does not answer and no record is known that is recent enough
   */
  return function find(name: string): Value | undefined | Promise<Value | undefined> {
    const known = records.get(name);
    if (known !== undefined && isWithin(known.readAt, RECORD_FRESH_MS)) return known.value;
    if (known !== undefined && isWithin(known.readAt, RECORD_STALE_MS)) return readAgain(name, known);
    const absentSince = absent.get(name);
    if (absentSince !== undefined && isWithin(absentSince, RECORD_FRESH_MS)) return undefined;
    if (isWithin(health.failedAt, PAUSE_MS.unknown)) throw new AccessError("The table did not answer just now.");
    return readShared(name);
  };
}

/** Adds an entry and, beyond the bound, removes the one that was added first. */
function remember<Entry>(map: Map<string, Entry>, name: string, entry: Entry, max: number): void {
  map.set(name, entry);
  if (map.size <= max) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
