import { describe, expect, it } from "vitest";
import { refusalsMessage } from "../../../functions/core/refusal-schema.ts";
import type { RefusalCause, RefusalsMessage } from "../../../functions/core/refusal.ts";
import {
  REFUSAL_MESSAGE_GROUP_SAMPLES,
  REFUSAL_MESSAGE_GROUPS,
  REFUSAL_PAUSE_MS,
  REFUSAL_SEND_MS,
  REFUSAL_SENDS_PER_SECOND,
} from "../../../functions/core/refusal-limits.ts";
import { MESSAGE_ATTRIBUTES_RESERVE_BYTES, MESSAGE_MAX_BYTES } from "../../../functions/core/queue-limits.ts";
import type { EventQueue } from "../../../functions/core/ports.ts";
import { describeEvent } from "../../../functions/ingest/refusal-sample.ts";
import { createRefusals } from "../../../functions/ingest/refusals.ts";
import { ingestTo, memoryQueue, NOW, order } from "./support.ts";

/** The gatherer with a clock that the test moves; `messages` reads what the queue confirmed. */
function gatherer(queue: EventQueue = memoryQueue().queue) {
  let now = Date.parse(NOW);
  let ids = 0;
  const timers: { work: () => void; at: number }[] = [];
  const refusals = createRefusals({
    queue,
    clock: () => new Date(now),
    newId: () => `m-${++ids}`,
    later: (work, ms) => void timers.push({ work, at: now + ms }),
  });
  const request = { tenant: "acme", at: NOW, keyId: "key", requestId: "r-1", userAgent: "curl/8" };
  return {
    refusals,
    request,
    note: (cause: Partial<RefusalCause> = {}, changes: Partial<typeof request> = {}, times = 1) => {
      for (let i = 0; i < times; i++)
        refusals.note({ ...request, ...changes }, { code: "required", pointer: "/data/a", ...cause }, () => ({
          id: "e",
        }));
    },
    send: () => refusals.send(now + 10_000),
    pass: (ms: number) => void (now += ms),
    /** Runs the timers that are due, `lateMs` after their time, and waits for what they send. */
    runTimers: async (lateMs = 0) => {
      const due = timers.splice(0);
      for (const { work, at } of due) {
        now = Math.max(now, at + lateMs);
        work();
        await new Promise(setImmediate);
      }
      return due.length;
    },
  };
}

const read = (enqueued: { body: string }[]) => enqueued.map(({ body }) => refusalsMessage.parse(JSON.parse(body)));
const countOf = ({ groups }: RefusalsMessage) => groups.reduce((sum, { count }) => sum + count, 0);

describe("the gatherer of refusals", () => {
  it("sends refusals of one cause as one group of their tenant and day, with the latest samples first", async () => {
    const { queue, enqueued } = memoryQueue();
    const { note, send } = gatherer(queue);
    note({ type: "t" });
    note({ type: "t" }, { at: "2026-11-21T09:31:00.000Z", requestId: "r-2" });
    note({ type: "u" });
    note({ type: "t" }, { tenant: "other" });
    note({ type: "t" }, { at: "2026-11-22T00:00:00.000Z" });

    await send();

    const [message] = read(enqueued);
    expect(message).toMatchObject({ kind: "refusals", id: "m-1" });
    expect(message?.groups.map(({ tenant, day, type, count }) => [tenant, day, type, count])).toEqual([
      ["acme", "2026-11-21", "t", 2],
      ["acme", "2026-11-21", "u", 1],
      ["other", "2026-11-21", "t", 1],
      ["acme", "2026-11-22", "t", 1],
    ]);
    expect(message?.groups[0]).toMatchObject({ first: NOW, last: "2026-11-21T09:31:00.000Z" });
    expect(message?.groups[0]?.samples).toEqual([
      { at: "2026-11-21T09:31:00.000Z", keyId: "key", requestId: "r-2", userAgent: "curl/8", id: "e" },
      { at: NOW, keyId: "key", requestId: "r-1", userAgent: "curl/8", id: "e" },
    ]);
  });

  it("sends nothing where there is nothing, and each refusal once", async () => {
    const { queue, enqueued } = memoryQueue();
    const { note, send } = gatherer(queue);

    await send();
    note();
    await send();
    await send();

    expect(read(enqueued).map(countOf)).toEqual([1]);
  });

  it("sends no more often than the limit, and the rest with the next send", async () => {
    const { queue, enqueued } = memoryQueue();
    const { note, send, pass } = gatherer(queue);
    for (let i = 0; i < REFUSAL_SENDS_PER_SECOND + 5; i++) {
      note();
      await send();
    }
    expect(enqueued).toHaveLength(REFUSAL_SENDS_PER_SECOND);

    pass(1_000);
    await send();

    expect(read(enqueued).map(countOf)).toEqual([...Array<number>(REFUSAL_SENDS_PER_SECOND).fill(1), 5]);
  });

  it("sends what was not confirmed again under its id, after a pause, and then what came since", async () => {
    let isDown = true;
    const { queue, enqueued } = memoryQueue(() => isDown);
    const { note, send, pass } = gatherer(queue);
    note();
    await send();
    isDown = false;

    note({}, {}, 2);
    pass(REFUSAL_PAUSE_MS - 1);
    await send();
    expect(enqueued).toEqual([]);
    pass(1);
    await send();
    await send();

    expect(read(enqueued).map((message) => [message.id, countOf(message)])).toEqual([
      ["m-1", 1],
      ["m-2", 2],
    ]);
  });

  it("sends the rest of a burst though no request comes any more", async () => {
    const { queue, enqueued } = memoryQueue();
    const { note, send, runTimers } = gatherer(queue);
    for (let i = 0; i < 3 * REFUSAL_SENDS_PER_SECOND; i++) {
      note();
      await send();
    }

    expect(await runTimers()).toBe(1);

    expect(read(enqueued).map(countOf)).toEqual([...Array<number>(REFUSAL_SENDS_PER_SECOND).fill(1), 20]);
    expect(await runTimers()).toBe(0);
  });

  it("sends again by a timer what was not confirmed, after the pause, and then what came since", async () => {
    let isDown = true;
    const { queue, enqueued } = memoryQueue(() => isDown);
    const { note, send, runTimers } = gatherer(queue);
    note();
    await send();
    note({}, {}, 2);
    await runTimers();
    isDown = false;

    await runTimers();
    await runTimers();

    expect(read(enqueued).map((message) => [message.id, countOf(message)])).toEqual([
      ["m-1", 1],
      ["m-2", 2],
    ]);
    expect(await runTimers()).toBe(0);
  });

  it("leaves to the next request what a timer would send that comes late, because its process was frozen", async () => {
    let isDown = true;
    const { queue, enqueued } = memoryQueue(() => isDown);
    const { note, send, runTimers } = gatherer(queue);
    note();
    await send();
    isDown = false;

    await runTimers(60_000);
    expect(enqueued).toEqual([]);
    await send();

    expect(read(enqueued).map(countOf)).toEqual([1]);
  });

  it("gives a send little of the time of its request", async () => {
    const deadlines: number[] = [];
    const queue: EventQueue = { send: async (_messages, deadline) => (deadlines.push(deadline), ["enqueued"]) };
    const { refusals, note } = gatherer(queue);
    note();
    await refusals.send(Date.parse(NOW) + 10_000);
    note();
    await refusals.send(Date.parse(NOW) + 7);

    expect(deadlines.map((each) => each - Date.parse(NOW))).toEqual([REFUSAL_SEND_MS, 7]);
  });

  it("counts what has no room for a group of its own as others, and keeps few samples", async () => {
    const { queue, enqueued } = memoryQueue();
    const { note, send } = gatherer(queue);
    for (let i = 0; i < REFUSAL_MESSAGE_GROUPS + 50; i++) note({ type: `t${i}` }, {}, 10);

    await send();

    const [message] = read(enqueued);
    expect(message?.groups).toHaveLength(REFUSAL_MESSAGE_GROUPS + 1);
    expect(message?.groups.at(-1)).toMatchObject({ code: "others", pointer: "", count: 500 });
    expect(message?.groups[0]?.samples).toHaveLength(REFUSAL_MESSAGE_GROUP_SAMPLES);
  });

  it("sends a message that SQS takes, however hostile names and texts are", async () => {
    const { queue, enqueued } = memoryQueue();
    const { refusals, request, send } = gatherer(queue);
    const hostile = '\uFFFE"𒀀'.repeat(200);
    const name = (at: number) => `${String.fromCodePoint(0x12000 + at)}${"𒀀".repeat(19)}`;
    const data = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [name(at), hostile]));
    const type = '"'.repeat(256);
    const sent = { ...request, tenant: "a".repeat(64), requestId: hostile, userAgent: hostile };
    for (let i = 0; i < REFUSAL_MESSAGE_GROUPS + 1; i++) {
      const cause = { code: "invalid_type", type, pointer: `/data/${name(i)}${`/${name(0)}`.repeat(5)}` };
      for (let times = 0; times < 5; times++)
        refusals.note(sent, cause, () => describeEvent({ id: hostile, source: hostile, data }, "/data/a"));
    }

    await send();

    const bytes = Buffer.byteLength(enqueued[0]?.body ?? "");
    expect(bytes).toBeGreaterThan(200_000);
    expect(bytes).toBeLessThan(MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES);
    expect(enqueued[0]?.body).not.toMatch(/[\uFFFE\uFFFF]/);
    expect(read(enqueued)[0]?.groups[0]?.samples[0]?.members).toBeDefined();
  });
});

describe("refusals of ingest", () => {
  const received = (events: unknown, headers?: Record<string, string>, options?: { validateOnly: boolean }) => {
    const status = memoryQueue();
    const events_ = memoryQueue();
    const refusals = createRefusals({
      queue: status.queue,
      clock: () => new Date(NOW),
      newId: () => "m-1",
      later: () => undefined,
    });
    const answer = ingestTo(events_.queue, { refusals })(events, headers, options);
    return { answer, messages: async () => (await answer.catch(() => undefined), read(status.enqueued)) };
  };
  const groupsOf = async (...args: Parameters<typeof received>) =>
    (await received(...args).messages()).flatMap(({ groups }) => groups);

  it("name code, type and pointer of each error of an event, each once", async () => {
    const { customerId: _renamed, ...data } = order("a").data;
    const renamed = order("a", { data: { ...data, customerID: "c-1", items: [{}, {}] } });

    const groups = await groupsOf([renamed, order("b")]);

    expect(groups.map(({ code, pointer, type, count }) => [code, pointer, type, count])).toEqual([
      ["required", "/data/customerId", "com.example.order.placed", 1],
      ["required", "/data/items/*/sku", "com.example.order.placed", 1],
      ["required", "/data/items/*/quantity", "com.example.order.placed", 1],
      ["required", "/data/items/*/unitAmount", "com.example.order.placed", 1],
    ]);
    expect(groups[0]).toMatchObject({ tenant: "default", day: "2026-11-21", first: NOW, last: NOW });
    expect(groups[0]?.samples).toMatchObject([
      { id: "a", source: "/shop", requestId: "r-1", members: { customerID: "string(3)", orderId: "string(1)" } },
    ]);
  });

  it("count a request that is refused as a whole, and its error stays", async () => {
    const { answer, messages } = received("{");

    await expect(answer).rejects.toMatchObject({ code: "malformed_body" });
    expect((await messages()).flatMap(({ groups }) => groups)).toMatchObject([
      { code: "malformed_body", pointer: "", count: 1, samples: [{ requestId: "r-1" }] },
    ]);
  });

  it("count an event without a readable type, and a line that is no JSON, without a type", async () => {
    const lines = `{"type":7}\nnonsense\n{"type":"${"t".repeat(300)}"}`;

    const groups = await groupsOf(lines, { "content-type": "application/x-ndjson" });

    expect(groups.every(({ type }) => type === undefined)).toBe(true);
    expect(groups).toContainEqual(expect.objectContaining({ code: "malformed_json", pointer: "", count: 1 }));
  });

  it("count an event without a type and one whose type is the text undefined apart", async () => {
    const { type: _none, ...untyped } = order("a");

    const groups = await groupsOf([untyped, order("b", { type: "undefined", id: "" }), { ...untyped, id: "" }]);

    const ofIds = groups.filter(({ pointer }) => pointer === "/id");
    expect(ofIds.map(({ type, count }) => [type, count])).toEqual([
      ["undefined", 1],
      [undefined, 1],
    ]);
  });

  it("can be read by the function status, however long the place of an error is with marks for its keys", async () => {
    const names = Array.from({ length: 5 }, () => "a".repeat(40));
    const data = [...names, ...Array<string>(50).fill("")].reduceRight<object>((inner, key) => ({ [key]: inner }), {
      "": "\u0000",
    });

    const groups = await groupsOf([order("a", { type: "unknown.type", data })]);

    expect(groups).toHaveLength(1);
    expect(groups[0]?.pointer).toMatch(/^\/data\/a{40}\/.+\/\*$/);
  });

  it("count nothing where all is accepted, and nothing that is only validated", async () => {
    expect(await groupsOf([order("a")])).toEqual([]);
    expect(await groupsOf([{}], undefined, { validateOnly: true })).toEqual([]);
    expect(await groupsOf("{", undefined, { validateOnly: true })).toEqual([]);
  });

  it("are sent at the same time as the events, and a queue of status that does not answer fails no request", async () => {
    const begun: string[] = [];
    let answerStatus: (outcomes: "failed"[]) => void = () => undefined;
    const status: EventQueue = {
      send: () => {
        begun.push("refusals");
        return new Promise((resolve) => (answerStatus = resolve));
      },
    };
    const events: EventQueue = {
      send: async (messages) => {
        begun.push("events");
        await Promise.resolve();
        expect(begun).toEqual(["events", "refusals"]);
        answerStatus(["failed"]);
        return messages.map(() => "enqueued");
      },
    };
    const refusals = createRefusals({
      queue: status,
      clock: () => new Date(NOW),
      newId: () => "m-1",
      later: () => undefined,
    });

    const answer = await ingestTo(events, { refusals })([order("a"), {}]);

    expect(answer).toMatchObject({ kind: "partly", accepted: 1, rejected: 1 });
  });
});
