import { describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import {
  createRecordCache,
  createTableHealth,
  KNOWN_WAIT_MS,
  RECORD_FRESH_MS,
  RECORD_STALE_MS,
} from "../../../functions/core/record-cache.ts";

type Value = { version: number };

function setUp(load: (name: string, call: number) => Promise<Value | undefined>) {
  let now = 1_000_000;
  const reads: string[] = [];
  let stale = 0;
  let expire: () => void = () => undefined;
  const waits: number[] = [];
  const health = createTableHealth();
  const deps = {
    health,
    clock: () => new Date(now),
    wait: (milliseconds: number) => {
      waits.push(milliseconds);
      return new Promise<void>((resolve) => (expire = resolve));
    },
  };
  const find = createRecordCache<Value>({
    ...deps,
    load: (name) => {
      reads.push(name);
      return load(name, reads.length);
    },
    onStale: () => {
      stale += 1;
    },
  });
  const other = createRecordCache<Value>({
    ...deps,
    load: (name) => load(name, reads.push(name)),
    onStale: () => undefined,
  });
  return {
    find,
    other,
    waits,
    expire: () => expire(),
    reads,
    stale: () => stale,
    pass: (milliseconds: number) => void (now += milliseconds),
  };
}

const versions = (_name: string, call: number) => Promise.resolve({ version: call });
const away = () => Promise.reject(new AccessError("away"));

describe("the cache of records", () => {
  it("reads a record again after ten seconds, and not before", async () => {
    const { find, pass, reads } = setUp(versions);

    await find("a");
    pass(RECORD_FRESH_MS - 1);
    expect(await find("a")).toEqual({ version: 1 });
    pass(1);
    expect(await find("a")).toEqual({ version: 2 });
    expect(reads).toHaveLength(2);
  });

  it("keeps the absence of a record as long as a record", async () => {
    const { find, pass, reads } = setUp((_name, call) => Promise.resolve(call === 1 ? undefined : { version: call }));

    expect(await find("a")).toBeUndefined();
    pass(RECORD_FRESH_MS - 1);
    expect(await find("a")).toBeUndefined();
    pass(1);
    expect(await find("a")).toEqual({ version: 2 });
    expect(reads).toHaveLength(2);
  });

  it("shares one read between concurrent calls for a name", async () => {
    const { find, reads } = setUp(versions);

    const found = await Promise.all([find("a"), find("a"), find("b"), find("a")]);

    expect(found.map((each) => each?.version)).toEqual([1, 1, 2, 1]);
    expect(reads).toEqual(["a", "b"]);
  });

  it("counts the age of a record from the start of its read, so that a change is never seen later", async () => {
    const read = Promise.withResolvers<Value>();
    const { find, pass, reads } = setUp((_name, call) => (call === 1 ? read.promise : versions(_name, call)));

    const first = find("a");
    pass(RECORD_FRESH_MS - 1);
    read.resolve({ version: 1 });
    await first;
    pass(1);
    expect(await find("a")).toEqual({ version: 2 });
    expect(reads).toHaveLength(2);
  });

  it("goes on with a known record for a quarter of an hour while the table does not answer, and counts each use", async () => {
    const { find, pass, stale } = setUp((name, call) => (call === 1 ? versions(name, call) : away()));

    await find("a");
    pass(RECORD_STALE_MS - 1);
    expect(await find("a")).toEqual({ version: 1 });
    expect(stale()).toBe(1);
    pass(1_000);
    await expect(find("a")).rejects.toThrow(AccessError);
    expect(stale()).toBe(1);
  });

  it("waits only a moment for a table that hangs where the record is known, and then nobody asks it for five seconds", async () => {
    const late = Promise.withResolvers<Value>();
    const { find, waits, expire, pass, reads, stale } = setUp((name, call) =>
      call === 1 ? versions(name, call) : late.promise,
    );
    await find("a");
    pass(RECORD_FRESH_MS);

    const found = find("a");
    expire();
    expect(await found).toEqual({ version: 1 });
    expect(waits).toEqual([KNOWN_WAIT_MS]);
    pass(4_999);
    expect(await find("a")).toEqual({ version: 1 });
    expect([reads.length, stale()]).toEqual([2, 2]);

    late.resolve({ version: 2 });
    await late.promise;
    pass(1);
    expect(await find("a")).toEqual({ version: 2 });
    expect(reads).toHaveLength(2);
  });

  it("takes a damaged record for a fault of this record alone, and does not go on with the one it knew", async () => {
    const damaged = () => Promise.reject(new AccessError("damaged", { isOutage: false }));
    const { find, other, pass, stale } = setUp((name, call) => (call === 2 ? damaged() : versions(name, call)));
    await find("a");
    pass(RECORD_FRESH_MS);

    await expect(find("a")).rejects.toThrow("damaged");
    expect(stale()).toBe(0);
    expect(await other("b")).toEqual({ version: 3 });
  });

  it("shares no read that is left over from before the process was frozen, nor keeps what it brings", async () => {
    const frozen = Promise.withResolvers<Value>();
    const { find, pass } = setUp((name, call) => (call === 1 ? frozen.promise : versions(name, call)));
    const first = find("a");
    pass(RECORD_FRESH_MS);

    expect(await find("a")).toEqual({ version: 2 });
    frozen.resolve({ version: 1 });
    expect(await first).toEqual({ version: 1 });
    expect(await find("a")).toEqual({ version: 2 });
  });

  it("learns from another cache of the same table that it does not answer", async () => {
    const { find, other, pass, reads } = setUp((name, call) => (call <= 2 ? versions(name, call) : away()));
    await find("a");
    await other("b");
    pass(RECORD_FRESH_MS);

    await find("a");
    expect(await other("b")).toEqual({ version: 2 });
    expect(reads).toEqual(["a", "b", "a"]);
  });

  it("does not take the absence of a record for known while the table does not answer", async () => {
    const { find, pass } = setUp((_name, call) => (call === 1 ? Promise.resolve(undefined) : away()));

    expect(await find("a")).toBeUndefined();
    pass(RECORD_FRESH_MS);
    await expect(find("a")).rejects.toThrow(AccessError);
  });

  it("asks a table that failed again only after a second", async () => {
    const { find, pass, reads } = setUp(away);

    await expect(find("a")).rejects.toThrow(AccessError);
    pass(999);
    expect(() => find("b")).toThrow(AccessError);
    expect(reads).toEqual(["a"]);
    pass(1);
    await expect(find("b")).rejects.toThrow(AccessError);
    expect(reads).toEqual(["a", "b"]);
  });

  it("does not let a flood of unknown names push out a record", async () => {
    const { find, reads } = setUp((name) => Promise.resolve(name === "a" ? { version: 1 } : undefined));

    await find("a");
    for (let i = 0; i < 20_000; i++) await find(`unknown-${i}`);
    const before = reads.length;
    await find("a");
    expect(reads).toHaveLength(before);
  });

  it("remembers the absence of a thousand names, and reads the first of more again", async () => {
    const { find, reads } = setUp(() => Promise.resolve(undefined));
    for (let i = 0; i <= 1_000; i++) await find(`unknown-${i}`);
    reads.length = 0;

    await find("unknown-1");
    await find("unknown-0");
    expect(reads).toEqual(["unknown-0"]);
  });

  it("asks the table for known records too as soon as one read has succeeded", async () => {
    const { find, pass, reads, stale } = setUp((name, call) => (name === "down" ? away() : versions(name, call)));
    await find("a");
    pass(RECORD_FRESH_MS);
    await expect(find("down")).rejects.toThrow(AccessError);
    pass(1_000);

    await find("b");
    expect(await find("a")).toEqual({ version: 4 });
    expect([reads, stale()]).toEqual([["a", "down", "b", "a"], 0]);
  });

  it("reads again after the clock was set back", async () => {
    const { find, pass, reads } = setUp(versions);

    await find("a");
    pass(-1);
    expect(await find("a")).toEqual({ version: 2 });
    expect(reads).toHaveLength(2);
  });
});
