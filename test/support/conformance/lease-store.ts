import { describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import type { BucketChange, DayChange, LeaseStore } from "../../../functions/core/lease-store.ts";

type StoreUnderTest = {
  store: LeaseStore;
  /** From now on the table does not answer. */
  outage: () => void | Promise<void>;
  /** A store whose table throttles every call. */
  throttled: () => LeaseStore | Promise<LeaseStore>;
};

/** A time in microseconds of today's size, which must come back exactly. */
const NOW = 1_790_000_000_123_457;
const SPAN = 2_333_334;
const TIMEOUT_MS = 5_000;

const events = (change: BucketChange) => ({ buckets: { events: change }, expires: 1_900_000_000 });
const start = (fullAt: number, now = NOW) => events({ kind: "start", now, to: { fullAt, span: SPAN } });
const add = (bounds: { by: number; atLeast: number; atMost: number; span?: number }) =>
  events({ kind: "add", span: SPAN, ...bounds });
const ofDay = (day: DayChange) => ({ buckets: {}, day, expires: 1_900_000_000 });

/** The contract of every lease store; `open` gives one whose subjects are unknown. */
export function describeLeaseStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`a lease store ${name}`, () => {
    it("reads an empty record of an unknown subject", async () => {
      const { store } = await open();

      expect(await store.read("limit#tenant#a", TIMEOUT_MS)).toEqual({});
    });

    it("starts a bucket where there is none, and returns and reads it exactly", async () => {
      const { store } = await open();

      const after = await store.change("a", start(NOW + 7), TIMEOUT_MS);

      expect(after).toEqual({ events: { fullAt: NOW + 7, span: SPAN } });
      expect(await store.read("a", TIMEOUT_MS)).toEqual(after);
      expect(await store.read("b", TIMEOUT_MS)).toEqual({});
    });

    it.each([
      { fullAt: NOW - 1, starts: true },
      { fullAt: NOW, starts: false },
      { fullAt: NOW + 1, starts: false },
    ])("starts a bucket again only if it was full before now (full at now + $fullAt)", async ({ fullAt, starts }) => {
      const { store } = await open();
      await store.change("a", start(fullAt), TIMEOUT_MS);

      const after = await store.change("a", start(NOW + 100), TIMEOUT_MS);

      expect(after).toEqual(starts ? { events: { fullAt: NOW + 100, span: SPAN } } : undefined);
      expect((await store.read("a", TIMEOUT_MS)).events?.fullAt).toBe(starts ? NOW + 100 : fullAt);
    });

    it.each([
      { is: "at the lower bound", bounds: { atLeast: NOW, atMost: NOW + 5 }, adds: true },
      { is: "at the upper bound", bounds: { atLeast: NOW - 5, atMost: NOW }, adds: true },
      { is: "below the lower bound", bounds: { atLeast: NOW + 1, atMost: NOW + 5 }, adds: false },
      { is: "above the upper bound", bounds: { atLeast: NOW - 5, atMost: NOW - 1 }, adds: false },
      { is: "of another span", bounds: { atLeast: NOW, atMost: NOW + 5, span: SPAN + 1 }, adds: false },
      { is: "between bounds that are the wrong way round", bounds: { atLeast: NOW + 1, atMost: NOW - 1 }, adds: false },
    ])("adds to a bucket within its bounds alone (it is $is)", async ({ bounds, adds }) => {
      const { store } = await open();
      await store.change("a", start(NOW), TIMEOUT_MS);

      const after = await store.change("a", add({ by: 3, ...bounds }), TIMEOUT_MS);

      expect(after).toEqual(adds ? { events: { fullAt: NOW + 3, span: SPAN } } : undefined);
      expect((await store.read("a", TIMEOUT_MS)).events?.fullAt).toBe(adds ? NOW + 3 : NOW);
    });

    it("adds nothing to a bucket that is not there", async () => {
      const { store } = await open();

      expect(await store.change("a", add({ by: 1, atLeast: 0, atMost: 2 * NOW }), TIMEOUT_MS)).toBeUndefined();
      expect(await store.read("a", TIMEOUT_MS)).toEqual({});
    });

    it("replaces a bucket only if it is as it was read", async () => {
      const { store } = await open();
      const read = { fullAt: NOW, span: SPAN };
      const to = { fullAt: NOW + 9, span: 17 };
      await store.change("a", start(NOW), TIMEOUT_MS);

      const other = { kind: "replace", read: { ...read, fullAt: NOW - 1 }, to } as const;
      expect(await store.change("a", events(other), TIMEOUT_MS)).toBeUndefined();
      const otherSpan = { kind: "replace", read: { ...read, span: 1 }, to } as const;
      expect(await store.change("a", events(otherSpan), TIMEOUT_MS)).toBeUndefined();
      expect(await store.change("a", events({ kind: "replace", read, to }), TIMEOUT_MS)).toEqual({ events: to });
    });

    it("counts the events of a day up to its quota, and begins a later day at zero", async () => {
      const { store } = await open();

      expect(await store.change("a", ofDay({ kind: "start", to: { day: 20_000, count: 6 } }), TIMEOUT_MS)).toEqual({
        day: { day: 20_000, count: 6 },
      });
      const four = ofDay({ kind: "add", day: 20_000, by: 4, atMost: 6 });
      expect(await store.change("a", four, TIMEOUT_MS)).toEqual({ day: { day: 20_000, count: 10 } });
      expect(await store.change("a", four, TIMEOUT_MS)).toBeUndefined();
      const sameDay = ofDay({ kind: "start", to: { day: 20_000, count: 1 } });
      expect(await store.change("a", sameDay, TIMEOUT_MS)).toBeUndefined();
      const earlier = ofDay({ kind: "add", day: 19_999, by: 1, atMost: 100 });
      expect(await store.change("a", earlier, TIMEOUT_MS)).toBeUndefined();
      expect(await store.change("a", ofDay({ kind: "start", to: { day: 20_001, count: 2 } }), TIMEOUT_MS)).toEqual({
        day: { day: 20_001, count: 2 },
      });
    });

    it("takes events of a day back as long as it is that day", async () => {
      const { store } = await open();
      await store.change("a", ofDay({ kind: "start", to: { day: 20_000, count: 600 } }), TIMEOUT_MS);

      const back = (day: number) => ofDay({ kind: "add", day, by: -599, atMost: Number.MAX_SAFE_INTEGER });
      expect(await store.change("a", back(19_999), TIMEOUT_MS)).toBeUndefined();
      expect(await store.change("a", back(20_000), TIMEOUT_MS)).toEqual({ day: { day: 20_000, count: 1 } });
      expect(await store.read("a", TIMEOUT_MS)).toEqual({ day: { day: 20_000, count: 1 } });
    });

    it("changes bucket and day together or not at all", async () => {
      const { store } = await open();
      await store.change("a", ofDay({ kind: "start", to: { day: 20_000, count: 10 } }), TIMEOUT_MS);

      const full = { kind: "add", day: 20_000, by: 1, atMost: 9 } as const;
      expect(await store.change("a", { ...start(NOW), day: full }, TIMEOUT_MS)).toBeUndefined();
      expect(await store.read("a", TIMEOUT_MS)).toEqual({ day: { day: 20_000, count: 10 } });

      const room = { kind: "add", day: 20_000, by: 1, atMost: 10 } as const;
      expect(await store.change("a", { ...start(NOW), day: room }, TIMEOUT_MS)).toEqual({
        events: { fullAt: NOW, span: SPAN },
        day: { day: 20_000, count: 11 },
      });
    });

    it("keeps the buckets of events and of requests apart", async () => {
      const { store } = await open();
      await store.change("a", start(NOW), TIMEOUT_MS);
      const requests = { kind: "start", now: NOW, to: { fullAt: NOW + 1, span: 5 } } as const;

      expect(await store.change("a", { buckets: { requests }, expires: 1_900_000_000 }, TIMEOUT_MS)).toEqual({
        events: { fullAt: NOW, span: SPAN },
        requests: { fullAt: NOW + 1, span: 5 },
      });
    });

    it("lets exactly as many of many changes at once through as the bounds have room for", async () => {
      const { store } = await open();
      await store.change("a", start(NOW), TIMEOUT_MS);

      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () =>
          store.change("a", add({ by: 10, atLeast: NOW, atMost: NOW + 60 }), TIMEOUT_MS),
        ),
      );

      expect(outcomes.filter((each) => each !== undefined)).toHaveLength(7);
      expect((await store.read("a", TIMEOUT_MS)).events?.fullAt).toBe(NOW + 70);
    });

    it("throws an AccessError in an outage", async () => {
      const { store, outage } = await open();
      await outage();

      await expect(store.read("a", 200)).rejects.toThrow(AccessError);
      await expect(store.change("a", start(NOW), 200)).rejects.toThrow(AccessError);
      await expect(store.read("a", 200)).rejects.toMatchObject({ isThrottled: false });
    });

    it("a throttled call throws an AccessError that says so", async () => {
      const store = await (await open()).throttled();

      const error = { name: "AccessError", isThrottled: true };
      await expect(store.read("a", TIMEOUT_MS)).rejects.toMatchObject(error);
      await expect(store.change("a", start(NOW), TIMEOUT_MS)).rejects.toMatchObject(error);
    });
  });
}
