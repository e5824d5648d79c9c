import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PRODUCER_LIFE_MS, PRODUCER_NOTE_GRACE_MS, type ProducerNote } from "../../../functions/core/producer-notes.ts";
import { textOfMessage } from "../../../functions/core/message-text.ts";
import { writeRanges } from "../../../functions/core/number-ranges.ts";
import { createNumbering } from "../../../functions/ingest/number-events.ts";
import { ingestTo, memoryQueue, NOW, numbering, order, PRODUCER } from "./support.ts";

/** Numbering on a clock of seconds, with the notes as texts and the timers that it asked for. */
function process() {
  const notes: { producer: string; at: number; tenants: Record<string, string> }[] = [];
  const timers: { at: number; work: () => void }[] = [];
  const failures: unknown[] = [];
  const table = { answers: true };
  let now = 0;
  let begun = 0;
  const write = ({ producer, at, tenants }: ProducerNote) => {
    if (!table.answers) return Promise.reject(new Error("no answer"));
    const texts = Object.fromEntries([...tenants].map(([tenant, ranges]) => [tenant, writeRanges(ranges)]));
    notes.push({ producer, at, tenants: texts });
    return Promise.resolve();
  };
  const rule = createNumbering({
    notes: { write },
    clock: () => new Date(now),
    newProducerId: () => `p${++begun}`,
    later: (work, ms) => timers.push({ at: now + ms, work }),
    onFailure: (error) => failures.push(error),
  });
  return {
    notes,
    failures,
    table,
    rule,
    /** Goes to a time; the timers until then fire as they are due, or late where the process was frozen. */
    async until(seconds: number, { isFrozen = false } = {}) {
      const end = seconds * 1_000;
      for (const timer of timers.splice(0)) {
        now = isFrozen ? end : timer.at;
        if (timer.at <= end) timer.work();
        else timers.push(timer);
      }
      now = end;
      await Promise.resolve();
    },
    /** A request with events of a tenant, all of which are confirmed. */
    async accept(events: number, tenant = "acme") {
      const { head, confirmed } = rule.take(tenant, events);
      confirmed(head.sequence, head.sequence + events - 1);
      await rule.note();
      return head;
    },
  };
}

describe("the numbers of events", () => {
  it("the events of each tenant are counted from 1 on, and none has the number of another one", () => {
    const { rule } = process();
    const heads = [rule.take("a", 3), rule.take("b", 2), rule.take("a", 1), rule.take("b", 1)].map(({ head }) => head);

    expect(heads).toEqual([
      { producer: "p1", sequence: 1 },
      { producer: "p1", sequence: 1 },
      { producer: "p1", sequence: 4 },
      { producer: "p1", sequence: 3 },
    ]);
  });

  it("a message that the queue did not confirm leaves a hole in the note", async () => {
    const { rule, notes } = process();
    const { confirmed } = rule.take("acme", 30);

    confirmed(1, 10);
    confirmed(21, 30);
    await rule.note();

    expect(notes.map(({ tenants }) => tenants)).toEqual([{ acme: "1-10,21-30" }]);
  });

  it("a process writes one note a second, which has everything that was confirmed until then", async () => {
    const { accept, until, notes } = process();

    await accept(1);
    for (const tenths of [1, 3, 5, 7, 9]) {
      await until(tenths / 10);
      await accept(10, "b");
    }
    await until(1);

    expect(notes.map(({ at, tenants }) => [at, tenants])).toEqual([
      [0, { acme: "1" }],
      [1_000, { acme: "1", b: "1-50" }],
    ]);
  });

  it("a process that was frozen writes its note with the request that thaws it, and this one is in it", async () => {
    const { accept, until, notes } = process();
    await accept(1);
    await until(0.5);
    await accept(1);

    await until(60, { isFrozen: true });
    await accept(1);

    expect(notes.map(({ tenants }) => tenants["acme"])).toEqual(["1", "1-3"]);
  });

  it("a note that could not be written is reported, fails no request and is written by a later one", async () => {
    const { accept, until, notes, failures, table } = process();
    table.answers = false;
    await accept(1);
    table.answers = true;
    await until(2);
    await accept(1);

    expect(failures).toHaveLength(1);
    expect(notes.map(({ tenants }) => tenants["acme"])).toEqual(["1-2"]);
  });

  it("a process begins another producer after an hour, and notes of the first one end with its time", async () => {
    const { accept, until, notes, rule, table } = process();
    await accept(1);
    const late = rule.take("acme", 1);
    table.answers = false;
    await until(1);
    await accept(1);
    table.answers = true;
    await until((PRODUCER_LIFE_MS + PRODUCER_NOTE_GRACE_MS) / 1_000);
    late.confirmed(2, 2);

    expect(await accept(5)).toEqual({ producer: "p2", sequence: 1 });
    expect(notes.map(({ producer, tenants }) => [producer, tenants])).toEqual([
      ["p1", { acme: "1" }],
      ["p2", { acme: "1-5" }],
    ]);
  });

  it("a process begins another producer before its note is too large for an item", async () => {
    const { rule, notes, until } = process();
    const last = () => rule.take("acme", 2).head;
    for (let message = 0; message < 2_500; message++) {
      const { head, confirmed } = rule.take("acme", 2);
      confirmed(head.sequence, head.sequence);
    }

    expect(last().producer).toBe("p2");
    await rule.note();
    await until(1);
    for (const { tenants } of notes) expect(JSON.stringify(tenants).length).toBeLessThan(100_000);
  });

  it("a large note is written as much more seldom as it has more kilobytes", async () => {
    const { rule, notes, until } = process();
    const sendAll = async () => {
      for (let tenant = 0; tenant < 50; tenant++) {
        const { head, confirmed } = rule.take(`tenant-${tenant}`, 1);
        confirmed(head.sequence, head.sequence);
      }
      await rule.note();
    };

    for (let second = 0; second < 20; second++) {
      await until(second);
      await sendAll();
    }

    expect(notes.map(({ at }) => at)).toEqual([0, 5_000, 10_000, 15_000]);
  });
});

describe("ingest with numbers", () => {
  const written = () => {
    const notes: ProducerNote[] = [];
    const write = (note: ProducerNote) => Promise.resolve(void notes.push(note));
    return { notes, rule: numbering({ notes: { write } }) };
  };
  const numbersOf = (notes: ProducerNote[]) => writeRanges(notes.at(-1)?.tenants.get("default") ?? []);
  const padding = "x".repeat(200_000);

  it("a message has the number of its first event, written one by one or verbatim", async () => {
    const { queue, enqueued } = memoryQueue();
    const send = ingestTo(queue, { numbering: written().rule });

    await send([order("1"), order("2")]);
    await send([order("3", { time: NOW }), order("4", { time: NOW })]);

    expect(enqueued.map(({ body }) => JSON.parse(body))).toMatchObject([
      { producer: PRODUCER, sequence: 1, events: [{ id: "1" }, { id: "2" }] },
      { producer: PRODUCER, sequence: 3, events: [{ id: "3" }, { id: "4" }] },
    ]);
  });

  it("a request of several messages has holes in its numbers for those that the queue did not confirm", async () => {
    const { queue, enqueued } = memoryQueue((_message, index) => index === 1);
    const { notes, rule } = written();
    const large = Array.from({ length: 12 }, (_, i) =>
      order(String(i), { type: "com.example.other", data: { padding } }),
    );

    await ingestTo(queue, { numbering: rule })(large);

    const firsts = enqueued.map(({ body }) => (JSON.parse(body) as { sequence: number }).sequence);
    expect(firsts).toEqual([1, 11]);
    expect(numbersOf(notes)).toBe("1-5,11-12");
  });

  it("events that are not sent have no numbers: invalid ones, copies, and those of a request that only validates", async () => {
    const { queue, enqueued } = memoryQueue();
    const { notes, rule } = written();
    const send = ingestTo(queue, { numbering: rule });

    await send([order("1")], undefined, { validateOnly: true });
    await send([{ type: "" }, order("1"), order("1"), order("2")]);

    expect(enqueued.map(({ body }) => (JSON.parse(body) as { sequence: number }).sequence)).toEqual([1]);
    expect(numbersOf(notes)).toBe("1-2");
  });

  it("no two events of a process share a number, and a note has the confirmed ones alone, whatever the queue confirms", async () => {
    const requests = fc.array(fc.record({ events: fc.integer({ min: 1, max: 4 }), isConfirmed: fc.boolean() }));
    await fc.assert(
      fc.asyncProperty(requests, async (all) => {
        let now = Date.parse(NOW);
        const notes: ProducerNote[] = [];
        const write = (note: ProducerNote) => Promise.resolve(void notes.push(note));
        const rule = numbering({ notes: { write }, clock: () => new Date((now += 60_000 / (all.length + 1))) });
        const confirmed = new Set<number>();
        const given = new Set<number>();
        for (const { events, isConfirmed } of all) {
          const { queue } = memoryQueue(({ body }) => {
            const { sequence, events: sent } = JSON.parse(textOfMessage(body).text) as {
              sequence: number;
              events: unknown[];
            };
            for (const at of sent.keys()) {
              expect(given.has(sequence + at)).toBe(false);
              given.add(sequence + at);
              if (isConfirmed) confirmed.add(sequence + at);
            }
            return !isConfirmed;
          });
          await ingestTo(queue, { numbering: rule })(
            Array.from({ length: events }, (_, i) => order(`${given.size}-${i}`)),
          );
        }
        const noted = (notes.at(-1)?.tenants.get("default") ?? []).flatMap(([first, last]) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        );
        expect(new Set(noted)).toEqual(confirmed);
      }),
      { numRuns: 50 },
    );
  });
});
