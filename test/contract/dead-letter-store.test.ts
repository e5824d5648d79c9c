import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDeadLetterReader } from "../../functions/adapters/data-api/dead-letter-reader.ts";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { readDeadLetters } from "../../functions/drain/read-dead-letters.ts";
import type { NewDeadLetter } from "../../functions/core/dead-letter-table.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { newDeadLetter, scopeOf, selecting, wholeMessage } from "../support/dead-letter-samples.ts";
import { body, dead } from "../unit/drain/support.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());
beforeEach(() => db.empty("dead_letter_replays", "dead_letters"));

const ROW = `dl_${"a".repeat(32)}`;
const store = () => createDeadLetterStore(db.writer);
const rows = () =>
  db.ask<{ event_id: string | null; has_data: boolean; body: string }>(
    "select event_id, data is not null as has_data, body from dead_letters order by message_id, message_index",
  );
const text = (data: string) => body([{ id: "hostile" }]).replace('"data":{}', `"data":${data}`);

describe("hostile dead letters", () => {
  it.each([
    ["U+0000", '{"a":"\\u0000"}', false],
    ["half a surrogate pair", '"\\ud800"', false],
    ["a number of 100,000 digits", "9".repeat(100_000), true],
    ["a number beyond every number", "1e999999", false],
    ["sixty levels", `${"[".repeat(60)}${"]".repeat(60)}`, true],
    ["ten thousand levels", `${"[".repeat(10_000)}${"]".repeat(10_000)}`, false],
    ["a key of 10,000 characters", `{"${"k".repeat(10_000)}":1}`, true],
  ])(
    "a dead letter with %s is recorded with its whole body, and its neighbours with their data",
    async (_name, data, hasData) => {
      const hostile = readDeadLetters(dead(text(data), {}, { messageId: "m2" }));
      const neighbours = ["m1", "m3"].map((messageId) => newDeadLetter({ messageId, event: { id: messageId } }));

      const outcome = await store().record([neighbours[0], ...hostile, neighbours[1]] as NewDeadLetter[], soon());

      expect(outcome.recorded).toBe(3);
      expect(await rows()).toMatchObject([
        { event_id: "m1", has_data: true },
        { has_data: hasData, body: text(data) },
        { event_id: "m3", has_data: true },
      ]);
    },
  );

  it("a dead letter that PostgreSQL refuses in a column of filters is recorded without these columns, and its neighbours with them", async () => {
    await db.ask(
      "alter table dead_letters add constraint hostile check (data is null or data ->> 'total' is distinct from '666')",
    );
    try {
      const refused = newDeadLetter({ event: { id: "b", data: { total: 666 } } });

      expect((await store().record([newDeadLetter({ event: { id: "a" } }), refused], soon())).recorded).toBe(2);
      expect(await rows()).toMatchObject([
        { event_id: "a", has_data: true },
        { event_id: "b", has_data: false, body: refused.body },
      ]);
    } finally {
      await db.ask("alter table dead_letters drop constraint hostile");
    }
  });

  it("whatever anybody sends to the dead-letter queue is recorded, and can be read", async () => {
    const anything = fc
      .string({ unit: "binary", maxLength: 60 })
      .map((each) => each.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "?"));
    const attributes = fc.dictionary(
      fc.constantFrom("reason", "detail", "tenant", "type", "source", "eventId", "sqlState", "attempts", "replays"),
      anything.filter((each) => each !== ""),
      { noNullPrototype: true },
    );
    const reader = createDeadLetterReader(db.reader);
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anything, attributes, fc.jsonValue()), { minLength: 1, maxLength: 8 }),
        async (given) => {
          const messages = given.flatMap(([garbage, facts, data], i) => [
            dead(garbage, facts, { messageId: `g${count}-${i}` }),
            dead(text(JSON.stringify(data)).replace("hostile", `h${count}-${i}`), facts, {
              messageId: `h${count}-${i}`,
            }),
          ]);
          count += 1;

          const { recorded } = await store().record(messages.flatMap(readDeadLetters), soon());

          expect(recorded).toBe(messages.length);
        },
      ),
      { numRuns: 30 },
    );
    const page = await reader.list(
      scopeOf("*"),
      selecting(),
      { after: undefined, limit: 1_000, budgetMs: 3_000 },
      soon(),
    );
    expect(page.rows.length).toBeGreaterThan(30);
    expect((await reader.groups(scopeOf("*"), selecting(), soon())).length).toBeGreaterThan(0);
  });
});

describe("dead letters that come again", () => {
  it("a dead letter that the consumer has sent twice, because it was killed, is recorded once", async () => {
    await store().record([newDeadLetter({ messageId: "m1" })], soon());

    expect((await store().record([newDeadLetter({ messageId: "m2" })], soon())).recorded).toBe(0);
  });

  it("a dead letter that names the row of another event leaves that row as it is", async () => {
    await store().record([newDeadLetter({ event: { id: "mine" } })], soon());
    const [{ id } = { id: "" }] = await db.ask<{ id: string }>(
      "update dead_letters set state = 'replayed', replays = 1 returning id",
    );

    await store().record([newDeadLetter({ deadLetterId: id, replays: 1, event: { id: "theirs" } })], soon());

    expect(await db.ask("select event_id, state from dead_letters order by 1")).toEqual([
      { event_id: "mine", state: "replayed" },
      { event_id: "theirs", state: "open" },
    ]);
  });

  it("a dead letter that comes back without its id, by way of another queue, opens its row once", async () => {
    await store().record([newDeadLetter()], soon());
    await db.ask("update dead_letters set state = 'replayed', replays = 2");
    const back = (messageId: string, replays: number) => newDeadLetter({ messageId, replays, reason: "again" });

    expect((await store().record([back("earlier", 1)], soon())).recorded).toBe(0);
    expect((await store().record([back("back", 2), back("twice", 2)], soon())).recorded).toBe(1);
    expect((await store().record([back("late", 2)], soon())).recorded).toBe(0);

    expect(await db.ask("select state, replays, reason from dead_letters")).toEqual([
      { state: "open", replays: 2, reason: "again" },
    ]);
  });

  it("dead letters of several events in one call that name the same missing row are all recorded", async () => {
    const named = ["a", "b", "c"].map((id) => newDeadLetter({ deadLetterId: ROW, event: { id } }));
    const again = newDeadLetter({ deadLetterId: ROW, messageId: "copy", event: { id: "a" } });

    await store().record([...named, again], soon());

    expect(await db.ask("select event_id from dead_letters order by 1")).toEqual(
      ["a", "b", "c"].map((id) => ({ event_id: id })),
    );
  });
});

describe("calls of the store", () => {
  it("a body of a whole message of 1 MiB is recorded and read in pieces, whatever it is made of", async () => {
    for (const unit of ['"', "\\", "é", "\u{1f680}"]) {
      const whole = wholeMessage(unit.repeat(Math.floor(1_048_576 / Buffer.byteLength(unit))), { messageId: "m1" });
      await store().record([whole], soon());
      const [any] = await db.ask<{ id: string }>("select id from dead_letters");

      const read = await createDeadLetterReader(db.reader).read(scopeOf("*"), any?.id ?? "", soon());

      expect(read?.body === whole.body, unit).toBe(true);
      await db.empty("dead_letter_replays", "dead_letters");
    }
  });

  it("chunks have at most 2,000 dead letters and what one call takes, in order", async () => {
    const chunker = store().createChunker<NewDeadLetter>();
    const small = Array.from({ length: 2_500 }, (_, i) => newDeadLetter({ event: { id: `s${i}` } }));
    const large = Array.from({ length: 20 }, (_, i) =>
      newDeadLetter({ event: { id: `l${i}`, data: "x".repeat(250_000) } }),
    );

    const full: NewDeadLetter[][] = [];
    for (const each of [...small, ...large]) {
      const chunk = chunker.add(each);
      if (chunk !== undefined) full.push(chunk);
    }
    full.push(chunker.rest());

    expect(full.flat()).toEqual([...small, ...large]);
    for (const chunk of full) {
      expect(chunk.length).toBeLessThanOrEqual(2_000);
      const { recorded } = await store().record(chunk, soon());
      expect(recorded).toBe(chunk.length);
    }
    expect(await db.ask("select count(*)::int as n from dead_letters")).toEqual([{ n: 2_520 }]);
  });

  it("dead letters of the same row in two calls at once open it once", async () => {
    await store().record([newDeadLetter()], soon());
    const [{ id } = { id: "" }] = await db.ask<{ id: string }>(
      "update dead_letters set state = 'replayed', replays = 1 returning id",
    );
    const back = (messageId: string) => newDeadLetter({ messageId, deadLetterId: id, replays: 1 });

    const outcomes = await Promise.all(
      ["m2", "m3", "m4"].map((messageId) => store().record([back(messageId)], soon())),
    );

    expect(outcomes.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(1);
    expect(await db.ask("select state, replays from dead_letters")).toEqual([{ state: "open", replays: 1 }]);
  });
});
