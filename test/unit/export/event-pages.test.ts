import { expect, it } from "vitest";
import type { ListPart, ListScan } from "../../../functions/core/list-reader.ts";
import { createEventPages } from "../../../functions/export/event-pages.ts";

const nothing: ListPart = {
  events: [],
  horizon: "1",
  plan: "scan",
  scanned: 0,
  isComplete: true,
  hasMore: false,
  first: undefined,
  last: undefined,
  count: undefined,
};

it("an export of some ids looks their events up, and one of anything else reads the range", async () => {
  const scans: ListScan[] = [];
  const pages = createEventPages({
    async list(scan) {
      scans.push(scan);
      return nothing;
    },
  });
  const read = (filter: object | undefined) => {
    const text = filter === undefined ? undefined : JSON.stringify(filter);
    const events = { tenant: "t", allowed: { types: undefined, sources: undefined }, from: undefined, to: undefined };
    return pages.read({ events: { ...events, filter: text }, horizon: undefined, after: undefined, limit: 10 }, 0);
  };

  await read({ any: [{ exact: { id: "a" } }, { exact: { id: "b" } }] });
  await read({ prefix: { id: "a" } });
  await read(undefined);

  expect(scans.map(({ ids }) => ids)).toEqual([["a", "b"], undefined, undefined]);
});
