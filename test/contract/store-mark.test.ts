import { describe, expect, it } from "vitest";
import { createLeaseStore } from "../../functions/adapters/dynamodb/lease-store.ts";
import { createLagReader, createStoreMark, createStoreMarker } from "../../functions/adapters/dynamodb/store-mark.ts";
import { openAccessTables } from "../support/access-tables.ts";

const table = "usage";

describe("the mark of stored events", () => {
  it("the mark is another one after each change, for every reader at once", async () => {
    const { client } = await openAccessTables();
    const readers = [createStoreMark({ client, table }), createStoreMark({ client, table })];
    const marker = createStoreMarker({ client, table });
    const seen = [await readers[0]?.read()];

    for (let change = 0; change < 3; change++) {
      await marker.change(undefined);
      const marks = await Promise.all(readers.map((each) => each.read()));
      expect(new Set(marks).size).toBe(1);
      seen.push(marks[0]);
    }

    expect(new Set(seen).size).toBe(4);
    expect(await readers[0]?.read()).toBe(seen.at(-1));
  });

  it("the mark is no subject of a limit", async () => {
    const { client } = await openAccessTables();
    await createStoreMarker({ client, table }).change(undefined);

    expect(await createLeaseStore({ client, table }).read("limit#tenant#stored", 1_000)).toEqual({});
  });

  it("a mark that cannot be read is undefined, and a change that fails says so", async () => {
    const { client, outage } = await openAccessTables();
    await outage();

    expect(await createStoreMark({ client, table }).read()).toBeUndefined();
    await expect(createStoreMarker({ client, table }).change(undefined)).rejects.toMatchObject({ name: "AccessError" });
  });

  it("the lag beside the mark is that of the last batch that had one, and none where none was written", async () => {
    const { client } = await openAccessTables();
    const [marker, lag] = [createStoreMarker({ client, table }), createLagReader({ client, table })];
    expect(await lag.read()).toBeUndefined();

    await marker.change({ lagMs: 40_000, at: 5 });
    await marker.change(undefined);

    expect(await lag.read()).toEqual({ lagMs: 40_000, at: 5 });
  });

  it("a lag that cannot be read is unknown, and a query waits less than a second for that", async () => {
    const { client, outage } = await openAccessTables();
    await createStoreMarker({ client, table }).change({ lagMs: 40_000, at: 5 });
    await outage();
    const began = performance.now();

    expect(await createLagReader({ client, table }).read()).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
