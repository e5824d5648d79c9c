import { Logger } from "@aws-lambda-powertools/logger";
import { DeleteMessageCommand, type Message, PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createDeadLetterQueue } from "../../functions/adapters/sqs/dead-letter-queue.ts";
import { createEventQueue } from "../../functions/adapters/sqs/event-queue.ts";
import { createSignedCalls } from "../../functions/adapters/sqs/signed-calls.ts";
import { createSignedEventQueue } from "../../functions/adapters/sqs/signed-event-queue.ts";
import { createReceivedMessages } from "../../functions/adapters/sqs/received-messages.ts";
import {
  DEAD_LETTER_GIVE_UP_MS,
  MESSAGE_MAX_BYTES,
  SEND_BATCH_MAX_BYTES,
  SEND_BATCH_MAX_ENTRIES,
  SQS_CALL_MS,
  SQS_CALLS_IN_FLIGHT,
} from "../../functions/core/queue-limits.ts";
import type { DeadLetter, EventQueue } from "../../functions/core/ports.ts";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import { memoryDeadLetters } from "../unit/consume/support.ts";
import { memoryQueue } from "../unit/ingest/support.ts";
import { describeDeadLetterQueue } from "../support/conformance/dead-letter-queue.ts";
import { describeEventQueue } from "../support/conformance/event-queue.ts";
import { eventually } from "../support/eventually.ts";
import { freezeDate } from "../support/freeze-date.ts";
import { soonerThan } from "../support/sooner-than.ts";
import { queueDepth, queueModel, receiveAll, sqsClient } from "../support/sqs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { soon } from "../support/database.ts";
import { LOCAL_AWS, stubAws } from "../support/local-aws.ts";
import { type SqsFaultProxy, startSqsFaultProxy } from "../support/sqs-fault-proxy.ts";

/** The longest pause between two attempts. */
const LONGEST_PAUSE_MS = 1_000;

/** A deadline so near that a call without an answer ends long before its own time (SQS_CALL_MS) is over. */
const NEAR_MS = 100;
const BELOW_CALL_MS = SQS_CALL_MS - 200;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let sqs: Sqs;
/** Past the proxy. */
let client: SQSClient;
let proxy: SqsFaultProxy;
const signed = createSignedCalls(() => ({
  ...LOCAL_AWS,
  credentials: { ...LOCAL_AWS.credentials, sessionToken: "local" },
}));
const logger = new Logger({ serviceName: "test", logLevel: "SILENT" });

beforeAll(async () => {
  folder = await temporaryFolder();
  const queues = [queueModel({ name: "events", visibilityTimeoutSeconds: 600 }), queueModel({ name: "dead" })];
  sqs = await startSqs({ dataDir: folder.path, queues, region: "us-east-1" });
  client = sqsClient(sqs.endpoint);
  proxy = await startSqsFaultProxy(sqs.endpoint);
  stubAws({ AWS_ENDPOINT_URL_SQS: proxy.url });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await proxy.stop();
  client.destroy();
  await sqs.stop();
  await folder.remove();
});
beforeEach(() => proxy.setFaults());
const purge = async () => {
  for (const name of ["events", "dead"]) await client.send(new PurgeQueueCommand({ QueueUrl: sqs.queueUrl(name) }));
};
afterEach(async () => {
  vi.restoreAllMocks();
  await purge();
});

const outgoing = (count: number, body = (i: number) => `m${i}`) =>
  Array.from({ length: count }, (_, i) => ({ body: body(i), group: "default" }));
const enqueued = (count: number) => Array.from({ length: count }, () => "enqueued");
const failed = (count: number) => Array.from({ length: count }, () => "failed");
const bodiesOf = (messages: Message[]) => messages.map(({ Body }) => Body ?? "").toSorted();

const receive = (name = "events") => receiveAll(client, sqs.queueUrl(name));
const depth = () => queueDepth(client, sqs.queueUrl("events"));

describeEventQueue("of SQS", async () => ({
  queue: createEventQueue({ queueUrl: proxy.queueUrl(sqs.queueUrl("events")), logger }),
  bodies: async () => bodiesOf(await receive()),
  refuse: (body) =>
    proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody }) => (MessageBody === body ? "sender" : false) }),
  outage: () => proxy.setFaults({ kind: "unavailable" }),
}));

describeEventQueue("of SQS by signed calls", async () => ({
  queue: createSignedEventQueue(proxy.queueUrl(sqs.queueUrl("events")), signed.sendBatch, logger),
  bodies: async () => bodiesOf(await receive()),
  refuse: (body) =>
    proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody }) => (MessageBody === body ? "sender" : false) }),
  outage: () => proxy.setFaults({ kind: "unavailable" }),
}));

describeEventQueue("in memory", async () => {
  let refused: string | undefined;
  let isDown = false;
  const memory = memoryQueue(({ body }) => isDown || body === refused);
  return {
    queue: memory.queue,
    bodies: async () => memory.enqueued.map(({ body }) => body).toSorted(),
    refuse: (body) => {
      refused = body;
    },
    outage: () => {
      isDown = true;
    },
  };
});

describeDeadLetterQueue("of SQS", async () => ({
  queue: createDeadLetterQueue({ client: new SQSClient(), queueUrl: proxy.queueUrl(sqs.queueUrl("dead")), logger }),
  deadLetters: async () =>
    (await receive("dead"))
      .map(({ Body: body = "", MessageAttributes }) => ({
        body,
        reason: MessageAttributes?.["reason"]?.StringValue ?? "",
      }))
      .toSorted((a, b) => (a.body < b.body ? -1 : 1)),
  refuse: (body) =>
    proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody }) => (MessageBody === body ? "sender" : false) }),
  outage: () => proxy.setFaults({ kind: "unavailable" }),
}));

describeDeadLetterQueue("in memory", async () => {
  let refused: string | undefined;
  let isDown = false;
  const memory = memoryDeadLetters(({ body }) => isDown || body === refused);
  return {
    queue: memory.queue,
    deadLetters: async () =>
      memory.deadLetters.map(({ body, reason }) => ({ body, reason })).toSorted((a, b) => (a.body < b.body ? -1 : 1)),
    refuse: (body) => {
      refused = body;
    },
    outage: () => {
      isDown = true;
    },
  };
});

/** Both clients of the queue: a test's sends go through one of them. */
describe.each([
  {
    by: "the SDK",
    make: (queueUrl: string) => createEventQueue({ queueUrl, logger }),
    countCalls: () => vi.spyOn(SQSClient.prototype, "send"),
  },
  {
    by: "signed calls",
    make: (queueUrl: string) => createSignedEventQueue(queueUrl, (...call) => signed.sendBatch(...call), logger),
    countCalls: () => vi.spyOn(signed, "sendBatch"),
  },
])("sent by $by", ({ make, countCalls }) => {
  let queue: EventQueue;
  beforeAll(() => {
    queue = make(proxy.queueUrl(sqs.queueUrl("events")));
  });

  describe("messages", () => {
    it("messages are all enqueued", async () => {
      const outcomes = await queue.send(outgoing(3), soon());

      expect(outcomes).toEqual(enqueued(3));
      expect(bodiesOf(await receive())).toEqual(["m0", "m1", "m2"]);
    });

    it("no messages need no call", async () => {
      expect(await queue.send([], soon())).toEqual([]);
      expect(proxy.calls).toEqual([]);
    });

    it("messages carry their tenant as message group", async () => {
      await queue.send(
        [
          { body: "a", group: "tenant-a" },
          { body: "b", group: "tenant-b" },
        ],
        soon(),
      );

      const groups = (await receive()).map(({ Body, Attributes }) => [Body, Attributes?.["MessageGroupId"]]);
      expect(Object.fromEntries(groups)).toEqual({ a: "tenant-a", b: "tenant-b" });
    });

    it.each([
      [10, [10]],
      [11, [10, 1]],
      [25, [10, 10, 5]],
    ])("%i messages go in calls of at most ten", async (count, sizes) => {
      expect(await queue.send(outgoing(count), soon())).toEqual(enqueued(count));

      expect(proxy.calls.map(({ entries }) => entries.length).toSorted((a, b) => b - a)).toEqual(sizes);
      expect(await receive()).toHaveLength(count);
    });

    it("messages arrive whatever their sizes, in calls of at most 1 MiB", async () => {
      const body = fc.nat(MESSAGE_MAX_BYTES / 2).map((bytes) => "\u00e4".repeat(Math.max(1, Math.floor(bytes / 2))));
      await fc.assert(
        fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 14 }), async (bodies) => {
          proxy.setFaults();

          expect(
            await queue.send(
              outgoing(bodies.length, (i) => bodies[i] ?? ""),
              soon(),
            ),
          ).toEqual(enqueued(bodies.length));

          for (const { entries } of proxy.calls) {
            const bytes = entries.reduce((sum, { MessageBody = "" }) => sum + Buffer.byteLength(MessageBody), 0);
            expect(bytes).toBeLessThanOrEqual(SEND_BATCH_MAX_BYTES);
            expect(entries.length).toBeLessThanOrEqual(SEND_BATCH_MAX_ENTRIES);
          }
          const lengths = (await receive()).map(({ Body = "" }) => Body.length).toSorted((a, b) => a - b);
          expect(lengths).toEqual(bodies.map(({ length }) => length).toSorted((a, b) => a - b));
          await purge();
        }),
        { numRuns: 8 },
      );
    });

    it("messages may have 1 MiB each, one to a call", async () => {
      const bodies = ["a", "b"].map((character) => character.repeat(MESSAGE_MAX_BYTES));

      expect(
        await queue.send(
          outgoing(2, (i) => bodies[i] ?? ""),
          soon(),
        ),
      ).toEqual(enqueued(2));

      expect(proxy.calls.map(({ entries }) => entries.length)).toEqual([1, 1]);
      expect((await receive()).map(({ Body }) => Body?.length)).toEqual([MESSAGE_MAX_BYTES, MESSAGE_MAX_BYTES]);
    });
  });

  describe("entries that the queue fails in an answer of 200", () => {
    it("entries that the queue fails are sent again, they alone, until they are enqueued", async () => {
      proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody }) => MessageBody === "m1", calls: 2 });

      expect(await queue.send(outgoing(3), soon())).toEqual(enqueued(3));

      expect(proxy.calls.map(({ entries }) => entries.map(({ MessageBody }) => MessageBody))).toEqual([
        ["m0", "m1", "m2"],
        ["m1"],
        ["m1"],
      ]);
      expect(bodiesOf(await receive())).toEqual(["m0", "m1", "m2"]);
    });

    it("entries that the queue fails to the deadline, or refuses, are reported, exactly they, whichever they are", async () => {
      freezeDate();
      const subsets = fc.integer({ min: 1, max: 25 }).chain((count) =>
        fc.record({
          count: fc.constant(count),
          failing: fc.uniqueArray(fc.nat(count - 1)),
          fault: fc.constantFrom(true, "sender" as const),
        }),
      );
      await fc.assert(
        fc.asyncProperty(subsets, async ({ count, failing, fault }) => {
          const bad = new Set(failing.map((i) => `m${i}`));
          proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody = "" }) => bad.has(MessageBody) && fault });
          const deadline = soon();

          const sending = queue.send(outgoing(count), deadline);
          await eventually(depth, (messages) => messages === count - bad.size);
          vi.setSystemTime(deadline);

          expect(await sending).toEqual(
            Array.from({ length: count }, (_, i) => (bad.has(`m${i}`) ? "failed" : "enqueued")),
          );
          const arrived = outgoing(count).map(({ body }) => body);
          expect(bodiesOf(await receive())).toEqual(arrived.filter((body) => !bad.has(body)).toSorted());
          await purge();
        }),
        { numRuns: 15 },
      );
    });

    it("entries that the queue fails are logged with their code, never with their body", async () => {
      const warned = vi.spyOn(logger, "warn");
      proxy.setFaults({ kind: "failEntries", entries: () => true, calls: 1 });

      await queue.send(
        outgoing(1, () => "secret body"),
        soon(),
      );

      expect(warned.mock.calls).toEqual([["queue refused a message", { code: "InternalError", senderFault: false }]]);
    });
  });

  describe("a queue that is in trouble", () => {
    it.each(["unavailable", "dropBefore"] as const)(
      "a queue that is in trouble for some calls (%s) is asked again",
      async (kind) => {
        proxy.setFaults({ kind, calls: 4 });

        expect(await queue.send(outgoing(2), soon())).toEqual(enqueued(2));
        expect(bodiesOf(await receive())).toEqual(["m0", "m1"]);
      },
    );

    it("a queue that enqueued messages but did not say so gets them again", async () => {
      proxy.setFaults({ kind: "dropAfter", calls: 1 });

      expect(await queue.send(outgoing(2), soon())).toEqual(enqueued(2));
      expect(bodiesOf(await receive())).toEqual(["m0", "m0", "m1", "m1"]);
    });

    it.each(["unavailable", "dropBefore", "dropAfter", "hang"] as const)(
      "a queue that is in trouble to the deadline (%s) fails every message, and is not asked again after it",
      async (kind) => {
        proxy.setFaults({ kind });
        const calls = countCalls();
        const deadline = freezeDate() + NEAR_MS;

        const sending = queue.send(outgoing(12), deadline);
        vi.setSystemTime(deadline);

        expect(await soonerThan(BELOW_CALL_MS, sending)).toEqual(failed(12));
        expect(calls).toHaveBeenCalledTimes(2);
      },
    );

    it("a queue that is in trouble for one of several calls fails the messages of that call only", async () => {
      const first = new Set(outgoing(10).map(({ body }) => body));
      const isFirst = ({ MessageBody = "" }) => first.has(MessageBody);
      proxy.setFaults({ kind: "unavailable", where: ({ entries }) => entries.some(isFirst) });
      const deadline = freezeDate() + 20_000;

      const sending = queue.send(outgoing(12), deadline);
      await eventually(depth, (messages) => messages === 2);
      vi.setSystemTime(deadline);

      expect(await sending).toEqual([...failed(10), ...enqueued(2)]);
    });

    it("a queue where nothing listens fails every message, and is not asked again after the deadline", async () => {
      const stopped = await startSqsFaultProxy(sqs.endpoint);
      await stopped.stop();
      vi.stubEnv("AWS_ENDPOINT_URL_SQS", stopped.url);
      const unreachable = make(stopped.queueUrl(sqs.queueUrl("events")));
      const calls = countCalls();
      const deadline = freezeDate() + 20_000;

      const sending = unreachable.send(outgoing(2), deadline);
      vi.setSystemTime(deadline);
      const outcomes = await sending;

      vi.stubEnv("AWS_ENDPOINT_URL_SQS", proxy.url);
      expect(outcomes).toEqual(failed(2));
      expect(calls).toHaveBeenCalledTimes(1);
    });

    it("a queue that does not exist fails every message", async () => {
      const missing = make(`${proxy.url}/000000000000/missing`);

      expect(await missing.send(outgoing(2), Date.now() + 400)).toEqual(failed(2));
    });

    it("a queue is not asked a second time after the deadline", async () => {
      proxy.setFaults({ kind: "hang" });
      const calls = countCalls();

      expect(await queue.send(outgoing(1), Date.now() - 1_000)).toEqual(failed(1));

      expect(calls).toHaveBeenCalledTimes(1);
    });
  });
});

describe("dead letters", () => {
  const deadLetter = (changes: Partial<DeadLetter> = {}): DeadLetter => ({
    body: '{"version":1}',
    reason: "not_storable",
    sqlState: "22P05",
    detail: "ERROR: unsupported Unicode escape sequence",
    tenant: "default",
    type: "com.example.sample",
    source: "/s",
    id: "1",
    receivedAt: "2026-11-21T09:30:00.000Z",
    attempts: 3,
    replays: 1,
    deadLetterId: undefined,
    ...changes,
  });
  const deadLetters = () =>
    createDeadLetterQueue({ client: new SQSClient(), queueUrl: proxy.queueUrl(sqs.queueUrl("dead")), logger });
  const sentAttributes = async (changes: Partial<DeadLetter>) => {
    expect(await deadLetters().send([deadLetter(changes)], soon())).toEqual(["enqueued"]);
    const [message] = await receive("dead");
    return Object.fromEntries(
      Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]),
    );
  };

  it("a dead letter has the body as it can be sent again, and every reason as an attribute", async () => {
    expect(await deadLetters().send([deadLetter({ deadLetterId: `dl_${"7".repeat(32)}` })], soon())).toEqual([
      "enqueued",
    ]);

    const [message] = await receive("dead");
    expect(message?.Body).toBe('json:{"version":1}');
    const text = (StringValue: string) => expect.objectContaining({ DataType: "String", StringValue }) as unknown;
    expect(message?.MessageAttributes).toEqual({
      reason: text("not_storable"),
      sqlState: text("22P05"),
      detail: text("ERROR: unsupported Unicode escape sequence"),
      tenant: text("default"),
      type: text("com.example.sample"),
      source: text("/s"),
      eventId: text("1"),
      deadLetterId: text(`dl_${"7".repeat(32)}`),
      attempts: text("3"),
      replays: text("1"),
    });
  });

  it.each([
    ["acme", "acme"],
    ["x".repeat(129), undefined],
    ["with space", undefined],
    [undefined, undefined],
  ])("a dead letter of the tenant %j stands in the group %j", async (tenant, group) => {
    expect(await deadLetters().send([deadLetter({ tenant })], soon())).toEqual(["enqueued"]);

    const [message] = await receive("dead");
    expect(message?.Attributes?.MessageGroupId).toBe(group);
  });

  it("dead letters are given up once SQS has taken none for five seconds, not before, and however much time is left", async () => {
    proxy.setFaults({ kind: "unavailable" });
    const calls = vi.spyOn(SQSClient.prototype, "send");
    const started = freezeDate();

    const sending = deadLetters().send([deadLetter(), deadLetter()], started + 20_000);
    vi.setSystemTime(started + DEAD_LETTER_GIVE_UP_MS - LONGEST_PAUSE_MS);
    const before = calls.mock.calls.length;
    await eventually(
      () => calls.mock.calls.length,
      (count) => count > before + 1,
    );
    vi.setSystemTime(started + DEAD_LETTER_GIVE_UP_MS + 1);

    // Without the limit it would ask until the 20 s are over, which never come.
    expect(await sending).toEqual(failed(2));
  });

  it("dead letters leave out what is unknown or empty, because SQS takes no empty attribute", async () => {
    const unknown = { sqlState: undefined, tenant: undefined, type: undefined, receivedAt: undefined };

    const attributes = await sentAttributes({ ...unknown, source: undefined, id: undefined, detail: "" });

    expect(attributes).toEqual({ reason: "not_storable", attempts: "3", replays: "1" });
  });

  it("dead letters replace the characters that SQS refuses, and no others", async () => {
    const attributes = await sentAttributes({
      detail: "a\u0000b\u0001c\u001fd\ufffee\uffff half \ud83d end",
      id: "tab\tline\r\n\u{1f680}\u007f",
      source: "\u0002",
    });

    expect(attributes).toMatchObject({
      detail: "a\ufffdb\ufffdc\ufffdd\ufffde\ufffd half \ufffd end",
      eventId: "tab\tline\r\n\u{1f680}\u007f",
      source: "\ufffd",
    });
  });

  it("dead letters cut a long detail, also in the middle of a character", async () => {
    const { detail } = await sentAttributes({ detail: `${"x".repeat(999)}\u{1f680}more` });

    expect(detail).toBe(`${"x".repeat(999)}\ufffd`);
  });

  it("dead letters are never refused for what any event or error has in it", async () => {
    const text = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(text, text, text, async (detail, id, source) => {
        expect(await deadLetters().send([deadLetter({ detail, id, source, type: detail })], soon())).toEqual([
          "enqueued",
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it("dead letters leave out attributes that do not fit beside a body of the greatest size", async () => {
    const body = "x".repeat(1_048_576 - 60);

    const attributes = await sentAttributes({ body, reason: "unreadable_message" });

    expect(attributes).toEqual({ reason: "unreadable_message", replays: "1", attempts: "3" });
  });

  it("dead letters with long attributes go in calls of at most 1 MiB, attributes counted", async () => {
    const body = "b".repeat(SEND_BATCH_MAX_BYTES / 2 - 500);

    const outcomes = await deadLetters().send(
      [deadLetter({ body }), deadLetter({ body, detail: "d".repeat(1_000) })],
      soon(),
    );

    expect(outcomes).toEqual(["enqueued", "enqueued"]);
    expect(proxy.calls).toHaveLength(2);
  });

  it("dead letters that SQS refuses are reported as failed, and their neighbours are enqueued", async () => {
    proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody }) => MessageBody === "bad" && "sender" });

    const outcomes = await deadLetters().send([deadLetter(), deadLetter({ body: "bad" }), deadLetter()], soon());

    expect(outcomes).toEqual(["enqueued", "failed", "enqueued"]);
  });
});

describe("visibility", () => {
  const queue = () => createEventQueue({ queueUrl: proxy.queueUrl(sqs.queueUrl("events")), logger });
  const postpone = (messages: { receiptHandle: string; seconds: number }[], deadline = soon()) =>
    createReceivedMessages({
      client: new SQSClient(),
      queueUrl: proxy.queueUrl(sqs.queueUrl("events")),
      logger,
    }).changeVisibility(messages, deadline);
  const handleOf = ({ ReceiptHandle = "" }: Message) => ReceiptHandle;

  it("a visibility timeout brings postponed messages back after their time and not before", async () => {
    await queue().send(outgoing(2), soon());
    const received = await receive();
    const started = performance.now();

    await postpone(received.map((message) => ({ receiptHandle: handleOf(message), seconds: 1 })));

    const returned: Message[] = [];
    await eventually(
      async () => returned.push(...(await receive())),
      (count) => count >= 2,
    );
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(bodiesOf(returned)).toEqual(["m0", "m1"]);
    expect(returned.map(({ Attributes }) => Attributes?.["ApproximateReceiveCount"])).toEqual(["2", "2"]);
  });

  it("the visibility timeout is changed for more than ten messages, each by its own time", async () => {
    await queue().send(outgoing(23), soon());
    const received = await receive();

    const now = received.filter(({ Body }) => Body !== "m7" && Body !== "m20");
    await postpone(
      received.map((message) => ({ receiptHandle: handleOf(message), seconds: now.includes(message) ? 0 : 500 })),
    );

    expect(bodiesOf(await receive())).toEqual(bodiesOf(now));
  });

  it("the visibility timeout is changed for the others when one receipt handle is stale, which is only logged", async () => {
    const warned = vi.spyOn(logger, "warn");
    await queue().send(outgoing(3), soon());
    const received = await receive();
    const deleted = received.find(({ Body }) => Body === "m1");
    await client.send(
      new DeleteMessageCommand({ QueueUrl: sqs.queueUrl("events"), ReceiptHandle: deleted?.ReceiptHandle }),
    );

    await postpone(received.map((message) => ({ receiptHandle: handleOf(message), seconds: 0 })));

    expect(bodiesOf(await receive())).toEqual(["m0", "m2"]);
    expect(warned).toHaveBeenCalledExactlyOnceWith("visibility not changed", { code: expect.any(String) });
  });

  it.each(["unavailable", "dropBefore", "hang"] as const)(
    "a visibility timeout that cannot be changed (%s) is only logged, by the deadline",
    async (kind) => {
      const warned = vi.spyOn(logger, "warn");
      await queue().send(outgoing(1), soon());
      const received = await receive();
      proxy.setFaults({ kind, action: "ChangeMessageVisibilityBatch" });

      const unchanged = received.map((message) => ({ receiptHandle: handleOf(message), seconds: 0 }));
      await soonerThan(BELOW_CALL_MS, postpone(unchanged, Date.now() + NEAR_MS));

      expect(warned).toHaveBeenCalledExactlyOnceWith("visibility not changed", { code: expect.any(String) });
      expect(await receive()).toEqual([]);
    },
  );

  it("changing the visibility timeouts of very many messages takes the time of one call where SQS does not answer", async () => {
    proxy.setFaults({ kind: "hang", action: "ChangeMessageVisibilityBatch" });

    await postpone(Array.from({ length: 1_000 }, (_, i) => ({ receiptHandle: `receipt ${i}`, seconds: 1 })));

    // Those that run at once, and none after them.
    expect(proxy.calls.length).toBe(SQS_CALLS_IN_FLIGHT);
  });

  it("changing the visibility timeout of no messages needs no call", async () => {
    await postpone([]);

    expect(proxy.calls).toEqual([]);
  });
});
