import { describe, expect, it } from "vitest";
import type { FeedPage, FeedRead, FeedReader } from "../../../functions/core/feed.ts";
import type { StorableEvent } from "../../../functions/core/ports.ts";
import { soon } from "../database.ts";
import { storable } from "../event-samples.ts";

type Page = Extract<FeedPage, { kind: "page" }>;

/** Reads a page as a follower without a filter does, unless a test says otherwise. */
export async function readPage(reader: FeedReader, changes: Partial<FeedRead> = {}): Promise<Page> {
  const page = await reader.read(
    {
      tenant: "default",
      after: "start",
      allowed: { types: undefined, sources: undefined },
      filter: undefined,
      maxEvents: 100,
      maxRows: 1_000,
      ...changes,
    },
    soon(),
  );
  if (page.kind !== "page") throw new Error(`The place is ${page.kind}.`);
  return page;
}

export const idsOf = ({ events }: Page): string[] => (JSON.parse(events) as { id: string }[]).map((event) => event.id);

/** Follows a feed to its end, page by page, and returns the ids of each page. */
export async function followToEnd(reader: FeedReader, changes: Partial<FeedRead> = {}): Promise<string[][]> {
  const pages: string[][] = [];
  let after: FeedRead["after"] = changes.after ?? "start";
  for (;;) {
    const page = await readPage(reader, { ...changes, after });
    pages.push(idsOf(page));
    expect(page.count).toBe(pages.at(-1)?.length);
    if (page.isEnd) return pages;
    expect(page.place, "the end of a page is behind its beginning").not.toEqual(after);
    after = page.place;
  }
}

/**
 * The contract of the port FeedReader.
 * @param open makes a reader, and a function that stores events in one transaction
 */
export function describeFeedReader(
  where: string,
  open: () => Promise<{ reader: FeedReader; store: (events: StorableEvent[]) => Promise<void> }>,
): void {
  describe(`a feed ${where}`, () => {
    it("a feed has the events in the order of their transactions, whenever they were received", async () => {
      const { reader, store } = await open();
      await store([storable({ id: "late" }, { receivedAt: "2026-11-21T09:00:00.000Z" })]);
      await store([storable({ id: "old" }, { receivedAt: "2026-11-05T09:00:00.000Z" })]);
      await store([storable({ id: "new" }, { receivedAt: "2026-11-22T09:00:00.000Z" })]);

      expect(idsOf(await readPage(reader))).toEqual(["late", "old", "new"]);
    });

    it("a feed has the events of one transaction by time of receipt, id and source", async () => {
      const { reader, store } = await open();
      const later = { receivedAt: "2026-11-21T09:30:00.001Z" };
      await store([
        storable({ id: "a" }, later),
        storable({ id: "c" }),
        storable({ id: "b", source: "/t" }),
        storable({ id: "b", source: "/s" }),
      ]);

      const events = JSON.parse((await readPage(reader)).events) as { id: string; source: string }[];

      expect(events.map(({ id, source }) => `${id}${source}`)).toEqual(["b/s", "b/t", "c/s", "a/s"]);
    });

    it.each([1, 2, 3, 4, 5, 6, 7])(
      "pages of at most %i events have each event once and in order",
      async (maxEvents) => {
        const { reader, store } = await open();
        await store(["1", "2", "3"].map((id) => storable({ id })));
        await store(["4"].map((id) => storable({ id })));
        await store(["5", "6"].map((id) => storable({ id })));

        const pages = await followToEnd(reader, { maxEvents });

        expect(pages.flat()).toEqual(["1", "2", "3", "4", "5", "6"]);
        expect(Math.max(...pages.map(({ length }) => length))).toBe(Math.min(maxEvents, 6));
      },
    );

    it.each([1, 2, 3, 4, 5, 100])(
      "pages that look at %i rows at most go on behind rows that do not match",
      async (maxRows) => {
        const { reader, store } = await open();
        for (const id of ["1", "2", "3", "4", "5", "6"])
          await store([storable({ id, type: id === "5" ? "com.example.rare" : "com.example.frequent" })]);

        const pages = await followToEnd(reader, { maxRows, filter: { exact: { type: "com.example.rare" } } });

        expect(pages.flat()).toEqual(["5"]);
        expect(pages.length).toBe(maxRows === 100 ? 1 : Math.ceil(6 / maxRows));
      },
    );

    it("a follower from now on gets only what is stored afterwards", async () => {
      const { reader, store } = await open();
      await store([storable({ id: "before" })]);
      const now = await readPage(reader, { after: "now" });
      expect(now).toMatchObject({ count: 0, events: "[]", isEnd: true });

      await store([storable({ id: "after" })]);

      expect(idsOf(await readPage(reader, { after: now.place }))).toEqual(["after"]);
    });

    it("a follower of a tenant without events gets the first one", async () => {
      const { reader, store } = await open();
      const places = [await readPage(reader), await readPage(reader, { after: "now" })];

      await store([storable({ id: "first" })]);

      for (const { place } of places) expect(idsOf(await readPage(reader, { after: place }))).toEqual(["first"]);
    });

    it("a place at the end stays where it is while nothing is stored", async () => {
      const { reader, store } = await open();
      await store([storable({ id: "1" })]);
      const { place } = await readPage(reader);

      expect(await readPage(reader, { after: place })).toMatchObject({ place, count: 0, isEnd: true });
    });

    it("a feed has the events of its tenant alone", async () => {
      const { reader, store } = await open();
      await store([storable({ id: "1" }, { tenant: "other" }), storable({ id: "2" })]);

      expect(await followToEnd(reader)).toEqual([["2"]]);
      expect(await followToEnd(reader, { tenant: "other" })).toEqual([["1"]]);
      expect(await followToEnd(reader, { tenant: "third" })).toEqual([[]]);
    });

    it("a feed has only events of the types and sources that the caller may read", async () => {
      const { reader, store } = await open();
      const types = ["com.a", "com.a.b", "com.b", "com.c"];
      await store(
        types.flatMap((type) => ["/s", "/t"].map((source) => storable({ id: `${type}${source}`, type, source }))),
      );

      const read = async (allowed: FeedRead["allowed"]) =>
        (await followToEnd(reader, { allowed, maxEvents: 2 })).flat();

      expect(await read({ types: ["com.a*", "com.c"], sources: ["/t"] })).toEqual(["com.a.b/t", "com.a/t", "com.c/t"]);
      expect(await read({ types: ["com.a"], sources: ["/*"] })).toEqual(["com.a/s", "com.a/t"]);
      expect(await read({ types: [], sources: undefined })).toEqual([]);
      expect(await read({ types: ["*"], sources: ["*"] })).toHaveLength(8);
    });

    it("a feed has only events that match the filter", async () => {
      const { reader, store } = await open();
      await store([1, 2, 3, 4].map((n) => storable({ id: String(n), data: { n, text: "it's ($1)[1] :name" } })));

      const read = async (filter: FeedRead["filter"]) => (await followToEnd(reader, { filter })).flat();

      expect(await read({ data: { n: [{ numeric: [">", 2] }] } })).toEqual(["3", "4"]);
      expect(await read({ all: [{ data: { text: ["it's ($1)[1] :name"] } }, { exact: { id: "2" } }] })).toEqual(["2"]);
      expect(await read({ exact: { id: "' or true --" } })).toEqual([]);
    });
  });
}
