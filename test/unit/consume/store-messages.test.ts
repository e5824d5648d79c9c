import { zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { toMessageBody } from "../../../functions/core/message-text.ts";
import { describe, expect, it, vi } from "vitest";
import { DatabaseError } from "../../../functions/core/errors.ts";
import { EXTENSIONS_MAX, REQUEST_MAX_VALUES } from "../../../functions/core/limits.ts";
import type { EventStore } from "../../../functions/core/ports.ts";
import { memoryDeadLetters, memoryStore, message, NOW, outage, refusal, storing } from "./support.ts";

const OWN = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
const SENT = `00-${"a".repeat(32)}-${"c".repeat(16)}-00`;
const ROW = `dl_${"7".repeat(32)}`;

const compressed = (text: string | Uint8Array) => `zstd,base64:${zstdCompressSync(text).toString("base64")}`;

describe("storing messages", () => {
  it("stores the events of all messages in one call", async () => {
    const { store, calls, ids } = memoryStore();

    const result = await storing(store, memoryDeadLetters().queue)([message("m1", ["a", "b"]), message("m2", ["c"])]);

    expect(result).toMatchObject({
      failed: [],
      conflicts: [],
      metrics: { EventsStored: 3, EventsDuplicate: 0, EventsConflicting: 0, EventsDeadLettered: 0 },
    });
    expect(calls).toEqual([["a", "b", "c"]]);
    expect(ids()).toEqual(["a", "b", "c"]);
  });

  it("gives the events of a request the trace that it came with, unless they have one of their own or no room", async () => {
    const { store, rows } = memoryStore();
    const head = { traceparent: OWN, eventTraceparent: SENT };
    const full = Object.fromEntries(Array.from({ length: EXTENSIONS_MAX }, (_, i) => [`x${i}`, i]));

    await storing(
      store,
      memoryDeadLetters().queue,
    )([
      message("m1", ["none"], { head }),
      message("m2", ["other"], { head, changes: { extensions: { other: "x" } } }),
      message("m3", ["own"], { head, changes: { extensions: { traceparent: "00-own" } } }),
      message("m4", ["full"], { head, changes: { extensions: full } }),
      message("m5", ["untraced"], { head: { traceparent: OWN } }),
    ]);

    expect([...rows.values()].map(({ id, extensions }) => [id, extensions])).toEqual([
      ["none", { traceparent: SENT }],
      ["other", { other: "x", traceparent: SENT }],
      ["own", { traceparent: "00-own" }],
      ["full", full],
      ["untraced", undefined],
    ]);
  });

  it("names the trace of each message that it works on, and dead letters keep it", async () => {
    const { store } = memoryStore({ refuse: ({ id }) => (id === "bad" ? refusal() : undefined) });
    const { queue, deadLetters } = memoryDeadLetters();
    const serve = vi.fn<(traceparent: string | undefined) => void>();
    const head = { traceparent: OWN, eventTraceparent: SENT };
    const unreadable = message("m2", ["c"], { head });

    await storing(store, queue, undefined, { serve })([
      message("m1", ["a", "bad"], { head }),
      { ...unreadable, body: unreadable.body.replace('"data"', '"id":7,"data"') },
      message("m3", ["d"]),
    ]);

    expect(serve.mock.calls).toEqual([[OWN], [OWN], [undefined]]);
    expect(deadLetters.map(({ body }) => JSON.parse(body) as object)).toMatchObject([head, head]);
  });

  it("counts an event that is stored already and does not fail its message", async () => {
    const { store } = memoryStore();
    const storeMessages = storing(store, memoryDeadLetters().queue);
    await storeMessages([message("m1", ["a"])]);

    expect(await storeMessages([message("m2", ["a", "b", "b"])])).toMatchObject({
      failed: [],
      conflicts: [],
      metrics: { EventsStored: 1, EventsDuplicate: 2, EventsConflicting: 0 },
    });
  });

  it("reports an event with other content under a stored key, counts it as a duplicate too, and does not fail its message", async () => {
    const { store } = memoryStore();
    const storeMessages = storing(store, memoryDeadLetters().queue);
    await storeMessages([message("m1", ["a", "b"])]);

    expect(
      await storeMessages([message("m2", ["b", "c"], { changes: { data: 2 } }), message("m3", ["a", "c"])]),
    ).toMatchObject({
      failed: [],
      conflicts: [
        { tenant: "default", source: "/s", id: "b" },
        { tenant: "default", source: "/s", id: "c" },
      ],
      metrics: { EventsStored: 1, EventsDuplicate: 3, EventsConflicting: 2, EventsDeadLettered: 0 },
    });
  });

  it("dead-letters the one event the database refuses, with its reason, and stores its neighbours", async () => {
    const { store, calls, ids } = memoryStore({ refuse: ({ id }) => (id === "bad" ? refusal() : undefined) });
    const { queue, deadLetters } = memoryDeadLetters();

    const result = await storing(store, queue)([message("m1", ["a", "bad", "b"], { attempts: 3, replays: 1 })]);

    expect(result).toMatchObject({ failed: [], metrics: { EventsStored: 2, EventsDeadLettered: 1 } });
    expect(ids()).toEqual(["a", "b"]);
    expect(calls).toHaveLength(1);
    expect(deadLetters).toMatchObject([
      {
        reason: "not_storable",
        sqlState: "22P05",
        detail: "ERROR: no",
        tenant: "default",
        type: "t",
        source: "/s",
        id: "bad",
        attempts: 3,
        replays: 1,
      },
    ]);
    expect(JSON.parse(deadLetters[0]?.body ?? "").events).toEqual([
      expect.objectContaining({ id: "bad", data: { id: "bad" } }),
    ]);
  });

  it("parks a message whole that is not an envelope of a known version", async () => {
    const { queue, deadLetters } = memoryDeadLetters();
    const bodies = [
      "",
      "not json",
      "{}",
      '{"version":2,"tenant":"default","receivedAt":"2026-11-21T09:29:00.000Z","events":[{}]}',
      '{"version":1,"tenant":"default","receivedAt":"2026-11-21T09:29:00.000Z","events":[ ]}',
      `{"version":1,"tenant":"default","receivedAt":"2026-11-21T09:29:00.000Z","events":[${",".repeat(1_000)}]}`,
      '{"version":1,"tenant":"default","receivedAt":"2026-11-21T09:29:00.000Z","events":[{"id":Infinity}],"events":[]}',
      compressed("{}"),
      compressed(Buffer.alloc(100 * 1024 * 1024)),
      compressed("{}").slice(0, -8),
    ];

    const result = await storing(memoryStore().store, queue)(bodies.map((body, i) => message(`m${i}`, [], { body })));

    expect(result).toMatchObject({ failed: [], metrics: { EventsStored: 0, EventsDeadLettered: bodies.length } });
    expect(deadLetters.map(({ body, reason }) => [body, reason])).toEqual(
      bodies.map((body) => [body, "unreadable_message"]),
    );
  });

  it("stores the events of a compressed message, and dead-letters the text of those that cannot be read", async () => {
    const { queue, deadLetters } = memoryDeadLetters();
    const { store, ids } = memoryStore();
    const all = Array.from({ length: 100 }, (_, i) => `e${i}`);
    const { body } = message("", all);
    const text = body.replace('"id":"e7"', '"id":7');

    const result = await storing(store, queue)([message("m1", [], { body: toMessageBody(text) })]);

    expect(toMessageBody(text)).not.toBe(text);
    expect(result.failed).toEqual([]);
    expect(ids().toSorted()).toEqual(all.filter((id) => id !== "e7").toSorted());
    expect(deadLetters).toMatchObject([{ reason: "unreadable_event", body: expect.stringContaining('"id":7') }]);
  });

  it.each([
    ["a number that is no JSON", '{"id":"bad","source":"/s","type":"t","data":[1,Infinity]}', "It is not JSON"],
    ["half an event", '{"id":"bad","source":"/s","type":"t","data":"half}', undefined],
    ["an event without a type", '{"id":"bad","source":"/s","data":"},{"}', "/type "],
    ["no event", "7", "Invalid input"],
    ["nothing", "", "It is not JSON"],
    ["an event that is nested too deep", `{"id":"bad","data":${"[".repeat(9_000)}${"]".repeat(9_000)}}`, "too deep"],
  ])("stores the neighbours of %s, and dead-letters its text alone", async (_name, bad, detail) => {
    const { queue, deadLetters } = memoryDeadLetters();
    const { store, ids } = memoryStore();
    const { body } = message("", ["a", "b"]);
    const split = body.indexOf('},{"id":"b"') + 2;
    const broken = `${body.slice(0, split)}${bad},${body.slice(split)}`;

    const result = await storing(store, queue)([message("m1", [], { body: broken, attempts: 3, replays: 1 })]);

    expect(result.failed).toEqual([]);
    if (detail === undefined) {
      // Nobody can say where the event ends.
      expect(deadLetters.map((each) => [each.body, each.reason])).toEqual([[broken, "unreadable_message"]]);
      return;
    }
    expect(ids()).toEqual(["a", "b"]);
    expect(deadLetters).toMatchObject([
      {
        reason: "unreadable_event",
        tenant: "default",
        detail: expect.stringContaining(detail),
        attempts: 3,
        replays: 1,
      },
    ]);
    expect(deadLetters[0]?.body).toBe(`${body.slice(0, body.indexOf("[") + 1)}${bad}]}`);
  });

  it.each([
    ["one event", ["bad"], undefined, ROW],
    [
      "one event that is no event",
      [],
      '{"version":1,"tenant":"t","receivedAt":"2026-11-21T09:29:00Z","events":[7]}',
      ROW,
    ],
    ["no envelope", [], "7", ROW],
    ["two events", ["bad", "good"], undefined, undefined],
  ])(
    "the dead letter of a replayed message with %s names its row only where it is the whole message",
    async (...given) => {
      const [, ids, body, row] = given;
      const { store } = memoryStore({ refuse: ({ id }) => (id === "bad" ? refusal() : undefined) });
      const { queue, deadLetters } = memoryDeadLetters();
      const replayed = { deadLetterId: ROW, ...(body !== undefined && { body }) };

      await storing(store, queue)([message("m1", ids, replayed)]);

      expect(deadLetters.map(({ deadLetterId }) => deadLetterId)).toEqual([row]);
    },
  );

  it("fails every message in an outage and dead-letters none of them", async () => {
    const { queue, deadLetters } = memoryDeadLetters();
    const { store, calls } = memoryStore({ chunk: 1, fault: outage });

    const result = await storing(store, queue)([message("m1", ["a", "b"]), message("m2", ["c"])]);

    expect(result.failed).toEqual(["m1", "m2"]);
    expect(result.failure?.reason).toBe("database_unavailable");
    expect(deadLetters).toEqual([]);
    expect(calls).toHaveLength(1);
  });

  it("fails only the messages of chunks that were not stored", async () => {
    const { store, ids } = memoryStore({ chunk: 2, fault: (_ids, call) => (call === 2 ? outage() : undefined) });

    const result = await storing(
      store,
      memoryDeadLetters().queue,
    )([message("m1", ["a", "b"]), message("m2", ["c"]), message("m3", ["d", "e"])]);

    expect(result.failed).toEqual(["m2", "m3"]);
    expect(ids()).toEqual(["a", "b"]);
  });

  it("holds the dead letter of a failed message back, so that it is sent once", async () => {
    const { queue, deadLetters } = memoryDeadLetters();
    let down = true;
    const { store } = memoryStore({
      chunk: 1,
      fault: ([id]) => (id === "later" && down ? outage() : undefined),
      refuse: ({ id }) => (id === "bad" ? refusal() : undefined),
    });
    const storeMessages = storing(store, queue);

    expect((await storeMessages([message("m1", ["bad", "later"])])).failed).toEqual(["m1"]);
    expect(deadLetters).toEqual([]);

    down = false;
    expect((await storeMessages([message("m1", ["bad", "later"])])).failed).toEqual([]);
    expect(deadLetters.map(({ id }) => id)).toEqual(["bad"]);
  });

  it("stores each event with its number, and dead letters keep the number of their event", async () => {
    const { store } = memoryStore({ refuse: ({ id }) => (id === "bad" ? refusal() : undefined) });
    const { queue, deadLetters } = memoryDeadLetters();
    const origins: unknown[] = [];
    const noting: EventStore = {
      ...store,
      store: (events, deadline) => {
        origins.push(...events.map(({ event, origin }) => [event.id, origin]));
        return store.store(events, deadline);
      },
    };
    const producer = "0mi2x0000aaaaaaaaaaaa";
    const plain = message("m1", ["a", "bad"]);
    const body = plain.body
      .replace('"events"', `"producer":"${producer}","sequence":7,"events"`)
      .replace("]}", ",{}]}");

    await storing(noting, queue)([{ ...plain, body }]);

    expect(origins).toEqual([
      ["a", { producer, sequence: 7 }],
      ["bad", { producer, sequence: 8 }],
    ]);
    expect(deadLetters.map((each) => JSON.parse(each.body) as object)).toMatchObject([
      { producer, sequence: 9, events: [{}] },
      { producer, sequence: 8, events: [{ id: "bad" }] },
    ]);
  });

  it("fails a message whose dead letter was not enqueued", async () => {
    const { queue } = memoryDeadLetters((deadLetter) => deadLetter.id === "bad");
    const { store } = memoryStore({ refuse: ({ id }) => (id === "good" ? undefined : refusal()) });

    const result = await storing(
      store,
      queue,
    )([message("m1", ["bad"]), message("m2", ["ugly"]), message("m3", ["good"])]);

    expect(result.failed).toEqual(["m1"]);
  });

  it("lets an event wait for what the database lacks, but not its neighbours in other messages", async () => {
    const waiting = new DatabaseError({
      disposition: "wait",
      reason: "missing_partition",
      sqlState: "23514",
      detail: "",
    });
    const { store, ids } = memoryStore({ refuse: ({ id }) => (id === "old" ? waiting : undefined) });
    const { queue, deadLetters } = memoryDeadLetters();

    const result = await storing(store, queue)([message("m1", ["a", "old"]), message("m2", ["b"])]);

    expect(result.failed).toEqual(["m1"]);
    expect(result.failure?.reason).toBe("missing_partition");
    expect(ids()).toEqual(["a", "b"]);
    expect(deadLetters).toEqual([]);
  });

  it("halves a chunk that the database cannot read down to the event at fault, and judges the rest by itself", async () => {
    const { store, calls, ids } = memoryStore({
      fault: (call) => (call.includes("unreadable") ? refusal("program_limit_exceeded") : undefined),
      refuse: ({ id }) => (id === "bad" ? refusal() : undefined),
    });
    const { queue, deadLetters } = memoryDeadLetters();
    const good = Array.from({ length: 62 }, (_, i) => `e${i}`);

    const result = await storing(store, queue)([message("m1", ["bad", ...good, "unreadable"])]);

    expect(result).toMatchObject({ failed: [], metrics: { EventsStored: 62, EventsDeadLettered: 2 } });
    expect(ids()).toEqual(good.toSorted());
    expect(deadLetters.map(({ id, reason }) => [id, reason])).toEqual([
      ["bad", "not_storable"],
      ["unreadable", "program_limit_exceeded"],
    ]);
    expect(calls).toHaveLength(1 + 2 * Math.log2(64));
  });

  it("reads a message of more values than a request may have, because the envelope adds some", async () => {
    const { store, ids } = memoryStore();
    const values = JSON.stringify(Array.from({ length: REQUEST_MAX_VALUES }, () => 0));
    const body = message("m1", ["a"]).body.replace('"data":{"id":"a"}', `"data":${values}`);

    const result = await storing(store, memoryDeadLetters().queue)([message("m1", [], { body })]);

    expect(result).toMatchObject({ failed: [], metrics: { EventsStored: 1, EventsDeadLettered: 0 } });
    expect(ids()).toEqual(["a"]);
  });

  it("parks a message that is nested too deep for anything that recurses", async () => {
    const { queue, deadLetters } = memoryDeadLetters();
    const body = (levels: number) =>
      message("m1", ["a"]).body.replace('"data":{"id":"a"}', `"data":${"[".repeat(levels)}${"]".repeat(levels)}`);

    const result = await storing(
      memoryStore().store,
      queue,
    )([9_000, 1_000_000].map((levels, i) => message(`m${i}`, [], { body: body(levels) })));

    expect(result.failed).toEqual([]);
    expect(deadLetters.map(({ reason }) => reason)).toEqual(["unreadable_event", "unreadable_event"]);
  });

  it("starts no chunk without the time to finish it, and fails the messages that were not begun", async () => {
    let now = NOW;
    const { store, ids } = memoryStore({
      chunk: 1,
      fault: () => {
        now += 28_000;
        return undefined;
      },
    });

    const result = await storing(
      store,
      memoryDeadLetters().queue,
      () => new Date(now),
    )([message("m1", ["a"]), message("m2", ["b"]), message("m3", ["c"])]);

    expect(result.failed).toEqual(["m3"]);
    expect(ids()).toEqual(["a", "b"]);
  });

  it("throws an error that is not the database's, so that the batch fails as a whole", async () => {
    const { store } = memoryStore();
    store.store = async () => {
      throw new TypeError("a bug");
    };

    await expect(storing(store, memoryDeadLetters().queue)([message("m1", ["a"])])).rejects.toThrow("a bug");
  });

  it("finds any set of bad events in any batch, storing exactly the others", async () => {
    const ids = Array.from({ length: 60 }, (_, i) => `e${i}`);
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(ids),
        fc.subarray(ids),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 9 }),
        async (refused, unreadable, chunk, perMessage) => {
          const bad = [...new Set([...refused, ...unreadable])];
          const { store, ids: stored } = memoryStore({
            chunk,
            fault: (call) => (call.some((id) => unreadable.includes(id)) ? refusal() : undefined),
            refuse: ({ id }) => (refused.includes(id) ? refusal() : undefined),
          });
          const { queue, ids: dead } = memoryDeadLetters();
          const messages = Array.from({ length: Math.ceil(ids.length / perMessage) }, (_, i) =>
            message(`m${i}`, ids.slice(i * perMessage, (i + 1) * perMessage)),
          );

          const result = await storing(store, queue)(messages);

          expect(result.failed).toEqual([]);
          expect(dead()).toEqual(bad.toSorted());
          expect(stored()).toEqual(ids.filter((id) => !bad.includes(id)).toSorted());
        },
      ),
      { numRuns: 50 },
    );
  });

  it("accounts for every event after any run of faults: stored, dead-lettered or in a failed message", async () => {
    const ids = Array.from({ length: 24 }, (_, i) => `e${i}`);
    const faults = fc.array(fc.constantFrom("none", "none", "outage"), { minLength: 0, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.subarray(ids), faults, fc.array(fc.boolean()), async (bad, weather, deadLettersLost) => {
        const { store, ids: stored } = memoryStore({
          chunk: 5,
          fault: (_call, count) => (weather[count] === "outage" ? outage() : undefined),
          refuse: ({ id }) => (bad.includes(id) ? refusal() : undefined),
        });
        const { queue, ids: dead } = memoryDeadLetters(() => deadLettersLost.pop() ?? false);
        const storeMessages = storing(store, queue);
        let messages = Array.from({ length: 8 }, (_, i) => message(`m${i}`, ids.slice(i * 3, i * 3 + 3)));

        for (let round = 0; messages.length > 0 && round < 100; round++) {
          const { failed } = await storeMessages(messages);
          messages = messages.filter(({ messageId }) => failed.includes(messageId));
        }

        expect(messages).toEqual([]);
        expect([...new Set(dead())]).toEqual(bad.toSorted());
        expect(stored()).toEqual(ids.filter((id) => !bad.includes(id)).toSorted());
      }),
      { numRuns: 100 },
    );
  });
});
