import { describe, expect, it } from "vitest";
import { createLeaseStore } from "../../functions/adapters/dynamodb/lease-store.ts";
import {
  createConsumerState,
  createLagReader,
  createStoreMark,
  createStoreMarker,
} from "../../functions/adapters/dynamodb/store-mark.ts";
import { createSubscribedMark } from "../../functions/adapters/dynamodb/subscribed-mark.ts";
import type { StoreMarker } from "../../functions/core/feed.ts";
import { openAccessTables } from "../support/access-tables.ts";
import { eventually } from "../support/eventually.ts";

const table = "usage";

// A read gives up after some hundred milliseconds, which a busy machine may take.
const read = <T>(from: { read(): Promise<T | undefined> }) => eventually(() => from.read());
const change = (marker: StoreMarker, lag?: Parameters<StoreMarker["change"]>[0]) =>
  marker.change(lag, Date.now() + 30_000);

describe("the mark of stored events", () => {
  it("the mark is another one after each change, for every reader at once", async () => {
    const { client } = await openAccessTables();
    const readers = [createStoreMark({ client, table }), createStoreMark({ client, table })];
    const marker = createStoreMarker({ client, table });
    const seen: (string | undefined)[] = [await read(createStoreMark({ client, table }))];

    for (let round = 0; round < 3; round++) {
      await change(marker);
      const marks = await Promise.all(readers.map((each) => read(each)));
      expect(new Set(marks).size).toBe(1);
      seen.push(marks[0]);
    }

    expect(new Set(seen).size).toBe(4);
    expect(await read(createStoreMark({ client, table }))).toBe(seen.at(-1));
  });

  it("the mark is no subject of a limit", async () => {
    const { client } = await openAccessTables();
    await change(createStoreMarker({ client, table }));

    expect(await createLeaseStore({ client, table }).read("limit#tenant#stored", 1_000)).toEqual({});
  });

  it("a mark that cannot be read is undefined, and a change that fails says so", async () => {
    const { client, outage } = await openAccessTables();
    await outage();

    expect(await createStoreMark({ client, table }).read()).toBeUndefined();
    await expect(createStoreMarker({ client, table }).change(undefined, Date.now() + 400)).rejects.toMatchObject({
      name: "AccessError",
    });
  });

  it("the lag beside the mark is that of the last batch that had one, and none where none was written", async () => {
    const { client } = await openAccessTables();
    const [marker, lag] = [createStoreMarker({ client, table }), createLagReader({ client, table })];
    expect(await lag.read()).toBeUndefined();

    await change(marker, { lagMs: 40_000, at: 5 });
    await change(marker);

    expect(await read(lag)).toEqual({ lagMs: 40_000, at: 5 });
  });

  it("a lag that cannot be read is unknown, and a query waits less than a second for that", async () => {
    const { client, outage } = await openAccessTables();
    await change(createStoreMarker({ client, table }), { lagMs: 40_000, at: 5 });
    await outage();
    const began = performance.now();

    expect(await createLagReader({ client, table }).read()).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe("the state of the consumer", () => {
  it("the state has the time of the last store, with a lag or without, and the last lag", async () => {
    const { client } = await openAccessTables();
    const [marker, state] = [createStoreMarker({ client, table }), createConsumerState({ client, table })];
    const began = Date.now();
    expect(await read(state)).toEqual({ lag: undefined, storedAt: undefined });

    await change(marker, { lagMs: 40_000, at: 5 });
    const first = await read(state);
    await change(marker);
    const second = await read(state);

    for (const { lag } of [first, second]) expect(lag).toEqual({ lagMs: 40_000, at: 5 });
    expect(first.storedAt).toBeGreaterThanOrEqual(began);
    expect(second.storedAt).toBeGreaterThanOrEqual(Number(first.storedAt));
  });

  it("a state that cannot be read is an error, and not the state of a new installation", async () => {
    const { client, outage } = await openAccessTables();
    await outage();

    await expect(createConsumerState({ client, table }).read()).rejects.toMatchObject({ name: "AccessError" });
  });
});

describe("the mark of subscriptions", () => {
  it("the store says that somebody subscribes from the token on until it is taken away, whatever it changes itself", async () => {
    const { client } = await openAccessTables();
    const [marker, subscribed] = [createStoreMarker({ client, table }), createSubscribedMark({ client, table })];
    const seen = [await change(marker)];

    await subscribed.set("one");
    seen.push(await change(marker), await change(marker, { lagMs: 1, at: 5 }));
    await subscribed.clear("one");
    seen.push(await change(marker));

    expect(seen.map(({ isSubscribed }) => isSubscribed)).toEqual([false, true, true, false]);
    expect(await read(createLagReader({ client, table }))).toEqual({ lagMs: 1, at: 5 });
  });

  it("a token that another one has replaced takes nothing away", async () => {
    const { client } = await openAccessTables();
    const subscribed = createSubscribedMark({ client, table });
    expect(await subscribed.read()).toBeUndefined();
    await subscribed.set("one");
    await subscribed.set("two");

    await subscribed.clear("one");

    expect(await subscribed.read()).toBe("two");
  });

  it("a table that does not answer is an error of each call", async () => {
    const { client, outage } = await openAccessTables();
    const subscribed = createSubscribedMark({ client, table });
    await outage();

    for (const call of [subscribed.set("one"), subscribed.clear("one"), subscribed.read()])
      await expect(call).rejects.toMatchObject({ name: "AccessError" });
  });
});
