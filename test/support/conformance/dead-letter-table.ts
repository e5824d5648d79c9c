import { describe, expect, it } from "vitest";
import { deadLetterIdOf } from "../../../functions/core/dead-letter-id.ts";
import type {
  DeadLetterReader,
  DeadLetterSelection,
  DeadLetterStore,
} from "../../../functions/core/dead-letter-table.ts";
import type { Filter } from "../../../functions/core/filter/filter.ts";
import { soon } from "../database.ts";
import { newDeadLetter, scopeOf, selecting, wholeMessage } from "../dead-letter-samples.ts";

type TableUnderTest = {
  store: DeadLetterStore;
  reader: DeadLetterReader;
  /** A replay takes a row: its number of replays grows by one. */
  take: (id: string) => Promise<void> | void;
  discard: (id: string) => Promise<void> | void;
  /** From now on the database is unavailable. */
  outage: () => void;
};

const ROW = `dl_${"7".repeat(32)}`;
const ALL = scopeOf("*");
const PAGE = { after: undefined, limit: 100, budgetMs: 3_000 };

/** The contract of every table of dead letters; `open` gives one that is empty. */
export function describeDeadLetterTable(name: string, open: () => Promise<TableUnderTest>): void {
  const opened = async () => {
    const table = await open();
    return {
      ...table,
      record: async (...deadLetters: Parameters<DeadLetterStore["record"]>[0]) => ({
        ...(await table.store.record(deadLetters, soon())),
        open: await table.store.countOpen(soon()),
      }),
      list: async (selection: Partial<DeadLetterSelection> = {}, scope = ALL) =>
        (await table.reader.list(scope, selecting(selection), PAGE, soon())).rows,
      read: (id: string, scope = ALL) => table.reader.read(scope, id, soon()),
    };
  };
  const idsOf = (rows: { eventId: string | null }[]) => rows.map(({ eventId }) => eventId);

  describe(`a table of dead letters ${name}`, () => {
    it("a recorded dead letter has what was given, is open, and has its body verbatim", async () => {
      const { record, list, read } = await opened();
      const deadLetter = newDeadLetter({ event: { id: "a" }, attempts: 3, replays: 2, message: "no 17" });

      expect(await record(deadLetter)).toEqual({ recorded: 1, open: 1 });

      const [row] = await list();
      expect(row).toEqual({
        id: deadLetterIdOf(deadLetter.messageId, 0),
        reason: "not_storable",
        sqlState: "22P05",
        message: "no 17",
        tenant: "default",
        type: "com.example.order",
        source: "/shop",
        eventId: "a",
        receivedAt: "2026-11-21T09:30:00.000Z",
        openedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        state: "open",
        attempts: 3,
        replays: 2,
      });
      expect(await read(row?.id ?? "")).toEqual({ ...row, isEvent: true, body: deadLetter.body, history: [] });
    });

    it("a whole message has neither tenant nor event, and any text as its body", async () => {
      const { record, list, read } = await opened();
      const body = `no envelope "\\ \\u0000 '${"\u{1f680}é".repeat(20_000)}`;

      await record(wholeMessage(body));

      const [row] = await list();
      expect(row).toMatchObject({
        tenant: null,
        type: null,
        source: null,
        eventId: null,
        receivedAt: null,
        sqlState: null,
      });
      expect(await read(row?.id ?? "")).toMatchObject({ isEvent: false, body });
    });

    it("a message that is delivered twice makes no second row, and a message of two events makes two", async () => {
      const { record, list } = await opened();
      const deadLetters = [0, 1].map((messageIndex) =>
        newDeadLetter({ messageId: "m", messageIndex, event: { id: `e${messageIndex}` } }),
      );

      expect(await record(...deadLetters)).toEqual({ recorded: 2, open: 2 });
      expect(await record(...deadLetters)).toEqual({ recorded: 0, open: 2 });
      expect(await list()).toHaveLength(2);
    });

    it("the same event with the same body in another message is a copy of an open or replayed row, and no other is", async () => {
      const { record, list, take, discard } = await opened();
      const again = (messageId: string, changes = {}) => record(newDeadLetter({ messageId, ...changes }));
      await again("m1");
      const [row] = await list();

      expect((await again("m2")).recorded).toBe(0);
      expect((await again("m3", { event: { data: 2 } })).recorded).toBe(1);
      expect((await again("m4", { tenant: "other" })).recorded).toBe(1);
      expect(
        (await record(wholeMessage("x", { messageId: "m5" }), wholeMessage("x", { messageId: "m6" }))).recorded,
      ).toBe(2);
      await take(row?.id ?? "");
      expect((await again("m7")).recorded).toBe(0);
      await discard(row?.id ?? "");
      expect((await again("m8")).recorded).toBe(1);
    });

    it("two copies in one call make one row", async () => {
      const { record } = await opened();

      expect(await record(newDeadLetter({ messageId: "m1" }), newDeadLetter({ messageId: "m2" }))).toEqual({
        recorded: 1,
        open: 1,
      });
    });

    it("the dead letter of a replayed message opens its row again, with the new reason and body, and the history says why", async () => {
      const { record, list, read, take } = await opened();
      await record(newDeadLetter());
      const [before] = await list();
      const id = before?.id ?? "";
      await take(id);
      const edited = { total: 8 };
      const changes = { deadLetterId: id, replays: 1, attempts: 4, reason: "constraint_violation", sqlState: "23514" };
      const back = newDeadLetter({ messageId: "m2", ...changes, message: "too 8", event: { data: edited } });

      expect(await record(back)).toEqual({ recorded: 1, open: 1 });

      const after = await read(id);
      expect(after).toMatchObject({ state: "open", replays: 1, attempts: 4, body: back.body });
      expect(after).toMatchObject({ reason: "constraint_violation", sqlState: "23514", message: "too 8" });
      expect((after?.openedAt ?? "") > (before?.openedAt ?? "")).toBe(true);
      expect(after?.history).toEqual([
        {
          number: 1,
          replayId: expect.stringMatching(/^rpl_/),
          takenAt: expect.any(String),
          sentAt: expect.any(String),
          outcome: "dead_lettered",
          reason: "constraint_violation",
          sqlState: "23514",
          message: "too 8",
        },
      ]);
      expect(idsOf(await list({ filter: { data: { total: [8] } } }))).toEqual(["1"]);
      expect(await list({ filter: { data: { total: [7] } } })).toEqual([]);
    });

    it("a return that is recorded already changes nothing, nor does one of an earlier replay or of a discarded row", async () => {
      const { record, list, read, take, discard } = await opened();
      await record(newDeadLetter());
      const id = (await list())[0]?.id ?? "";
      const back = (replays: number, messageId: string) =>
        record(newDeadLetter({ messageId, deadLetterId: id, replays, message: messageId }));
      await take(id);
      expect((await back(1, "m2")).recorded).toBe(1);
      const whole = await read(id);

      expect((await back(1, "m2")).recorded).toBe(0);
      expect((await back(1, "m3")).recorded).toBe(0);
      expect(await read(id)).toEqual(whole);

      await take(id);
      expect((await back(1, "m4")).recorded).toBe(0);
      expect(await read(id)).toMatchObject({ state: "replayed", replays: 2 });
      expect((await back(2, "m5")).recorded).toBe(1);
      await discard(id);
      expect((await back(2, "m5")).recorded).toBe(0);
      expect(await list({ states: ["open"] })).toEqual([]);
      expect(await list()).toHaveLength(1);
    });

    it("a dead letter whose row is not there becomes that row, once", async () => {
      const { record, list } = await opened();
      const deadLetter = (messageId: string) => newDeadLetter({ messageId, deadLetterId: ROW, replays: 3 });

      expect((await record(deadLetter("m1"), deadLetter("m2"))).recorded).toBe(1);
      expect((await record(deadLetter("m3"))).recorded).toBe(0);

      expect(await list()).toMatchObject([{ id: ROW, state: "open", replays: 3 }]);
    });

    it("a dead letter that names the row of another event or tenant becomes a row of its own", async () => {
      const { record, list, read, take } = await opened();
      await record(newDeadLetter({ event: { id: "mine" } }));
      const id = (await list())[0]?.id ?? "";
      await take(id);

      await record(
        newDeadLetter({ deadLetterId: id, replays: 1, event: { id: "theirs" } }),
        newDeadLetter({ deadLetterId: id, replays: 1, event: { id: "mine" }, tenant: "b", messageId: "m3" }),
      );

      expect(await read(id)).toMatchObject({ state: "replayed", eventId: "mine", tenant: "default" });
      expect(await list()).toHaveLength(3);
    });

    it("a whole message that comes back whole opens its row", async () => {
      const { record, list, take } = await opened();
      await record(wholeMessage("x"));
      const id = (await list())[0]?.id ?? "";
      await take(id);

      expect((await record(wholeMessage("x", { messageId: "m2", deadLetterId: id, replays: 1 }))).recorded).toBe(1);
      expect(await list()).toMatchObject([{ id, state: "open", replays: 1 }]);
    });

    it.each<[string, Partial<DeadLetterSelection>, string[]]>([
      ["nothing", {}, ["c", "b", "a"]],
      ["a reason", { reasons: ["constraint_violation"] }, ["b"]],
      ["one of several reasons", { reasons: ["constraint_violation", "not_storable"] }, ["c", "b", "a"]],
      ["a SQLSTATE", { sqlStates: ["23514"] }, ["b"]],
      ["a message's group", { messageGroups: ["number ?"] }, ["c", "a"]],
      ["open", { states: ["open"] }, ["b", "a"]],
      ["replayed or discarded", { states: ["replayed", "discarded"] }, ["c"]],
      ["a type", { filter: { exact: { type: "com.example.refund" } } }, ["b"]],
      ["an id", { filter: { exact: { id: "a" } } }, ["a"]],
      ["a subject", { filter: { prefix: { subject: "cust" } } }, ["a"]],
      ["an extension", { filter: { exact: { lane: "3" } } }, ["c"]],
      ["a time", { filter: { exact: { time: "2026-11-21T10:29:59+01:00" } } }, ["c", "b", "a"]],
      ["data", { filter: { data: { total: [{ numeric: [">", 7] }] } } }, ["b"]],
      ["what is not", { filter: { not: { data: { total: [9] } } } }, ["c", "a"]],
      ["no id that there is", { ids: [ROW] }, []],
      ["the future", { opened: { from: "2100-01-01T00:00:00.000000Z", to: undefined } }, []],
      ["the past", { opened: { from: undefined, to: "2100-01-01T00:00:00.000000Z" } }, ["c", "b", "a"]],
    ])("lists the dead letters that have %s, the last one first", async (_what, selection, ids) => {
      const { record, list, take } = await opened();
      await record(newDeadLetter({ event: { id: "a", subject: "customer" }, message: "number 1" }));
      const refund = { type: "com.example.refund", data: { total: 9 } };
      await record(
        newDeadLetter({
          event: { id: "b", ...refund },
          reason: "constraint_violation",
          sqlState: "23514",
          message: "b",
        }),
      );
      await record(newDeadLetter({ event: { id: "c", extensions: { lane: 3 } }, message: "number 2" }));
      const [last] = await list();
      await take(last?.id ?? "");

      expect(idsOf(await list(selection))).toEqual(ids);
    });

    it("a whole message is found by no condition on events, also not by a negated one", async () => {
      const { record, list } = await opened();
      await record(wholeMessage("x"));
      const filters: Filter[] = [{ exact: { type: "t" } }, { not: { exact: { type: "t" } } }];

      for (const filter of filters) expect(await list({ filter })).toEqual([]);
      expect(await list({ reasons: ["unreadable_message"] })).toHaveLength(1);
    });

    it("pages have each dead letter once, in the order of the list", async () => {
      const { record, reader } = await opened();
      await record(...Array.from({ length: 7 }, (_, i) => newDeadLetter({ event: { id: `e${i}` } })));
      const found: string[] = [];
      let after: Parameters<DeadLetterReader["list"]>[2]["after"];
      let pages = 0;

      do {
        const page = await reader.list(ALL, selecting(), { after, limit: 3, budgetMs: 3_000 }, soon());
        found.push(...page.rows.map(({ id }) => id));
        after = page.next;
        pages += 1;
      } while (after !== undefined);

      expect(pages).toBe(3);
      const whole = await reader.list(ALL, selecting(), PAGE, soon());
      expect(found).toEqual(whole.rows.map(({ id }) => id));
      expect(new Set(found).size).toBe(7);
      expect(whole.next).toBeUndefined();
    });

    it("a tenant sees its own dead letters, and the installation those of all and of none", async () => {
      const { record, list, read, reader } = await opened();
      await record(newDeadLetter({ tenant: "a" }), newDeadLetter({ tenant: "b", messageId: "b" }), wholeMessage("x"));
      const all = await list();

      expect(all).toHaveLength(3);
      for (const tenant of ["a", "b"]) {
        expect(await list({}, scopeOf(tenant))).toMatchObject([{ tenant }]);
        for (const row of all) expect((await read(row.id, scopeOf(tenant))) === undefined).toBe(row.tenant !== tenant);
        expect(await reader.groups(scopeOf(tenant), selecting(), soon())).toMatchObject([{ count: 1, share: 1 }]);
      }
      for (const tenant of ["", "A", "c", "%"]) expect(await list({}, scopeOf(tenant))).toEqual([]);
    });

    it("patterns of types and sources hide the others, and those of an unknown type or source", async () => {
      const { record, list, read, reader } = await opened();
      const tenantless = wholeMessage("x", { tenant: "default" });
      await record(newDeadLetter(), newDeadLetter({ event: { id: "2", type: "t", source: "/t" } }), tenantless);
      const ids = new Map((await list()).map((row) => [row.eventId, row.id]));

      for (const allowed of [{ types: ["com.*"] }, { sources: ["/shop"] }, { types: ["com.*"], sources: ["*"] }]) {
        const scope = scopeOf("default", allowed);
        expect(idsOf(await list({}, scope))).toEqual(["1"]);
        expect(await read(ids.get("2") ?? "", scope)).toBeUndefined();
        expect(await read(ids.get(null) ?? "", scope)).toBeUndefined();
        expect(await read(ids.get("1") ?? "", scope)).toBeDefined();
        expect(await reader.groups(scope, selecting(), soon())).toMatchObject([{ count: 1, share: 1 }]);
        expect(await reader.find(scope, { id: "2", source: undefined }, soon())).toBeUndefined();
      }
      expect(await list({}, scopeOf("default", { types: [] }))).toEqual([]);
    });

    it("groups count causes: reason, SQLSTATE and message without what varies; the largest first, with the last as sample", async () => {
      const { record, reader } = await opened();
      const cause = (id: string, message: string, type: string) => newDeadLetter({ event: { id, type }, message });
      await record(cause("a", 'no "x" 1', "t1"));
      await record(cause("b", 'no "y" 22', "t2"));
      await record(cause("c", 'no "z" 3', "t1"));
      await record({ ...cause("d", "else", "t3"), sqlState: undefined });

      const groups = await reader.groups(scopeOf("default"), selecting(), soon());

      expect(groups).toEqual([
        {
          reason: "not_storable",
          sqlState: "22P05",
          message: "no ? ?",
          count: 3,
          share: 0.75,
          firstSeen: expect.any(String),
          lastSeen: expect.any(String),
          types: ["t1", "t2"],
          sample: expect.objectContaining({ eventId: "c", message: 'no "z" 3' }),
        },
        expect.objectContaining({ message: "else", sqlState: null, count: 1, share: 0.25, types: ["t3"] }),
      ]);
      expect((groups[0]?.firstSeen ?? "") <= (groups[0]?.lastSeen ?? "")).toBe(true);
      expect(await reader.groups(scopeOf("default"), selecting({ reasons: ["other"] }), soon())).toEqual([]);
    });

    it("finds the latest open or replayed dead letter of an event, and no discarded one", async () => {
      const { record, reader, take, discard } = await opened();
      await record(newDeadLetter({ messageId: "m1" }));
      await record(newDeadLetter({ messageId: "m2", event: { data: 2, source: "/other" }, reason: "later" }));
      const find = (source?: string, tenant = "default") => reader.find(scopeOf(tenant), { id: "1", source }, soon());

      const latest = await find();
      expect(latest).toMatchObject({ state: "open", reason: "later" });
      const first = await find("/shop");
      expect(first).toMatchObject({ state: "open", reason: "not_storable", message: "ERROR: no" });
      expect(await find("/none")).toBeUndefined();
      expect(await find(undefined, "b")).toBeUndefined();
      await take(latest?.id ?? "");
      expect(await find("/other")).toMatchObject({ state: "replayed" });
      await discard(first?.id ?? "");
      expect(await find("/shop")).toBeUndefined();
    });

    it("nothing is recorded in an outage, and nothing read", async () => {
      const { record, list, outage } = await opened();
      outage();

      await expect(record(newDeadLetter())).rejects.toMatchObject({ isOutage: true });
      await expect(list()).rejects.toMatchObject({ isOutage: true });
    });
  });
}
