import { Logger } from "@aws-lambda-powertools/logger";
import { PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { toReceivedMessage } from "../../functions/adapters/lambda/received-message.ts";
import { createEventQueue } from "../../functions/adapters/sqs/event-queue.ts";
import { createReceivedMessages } from "../../functions/adapters/sqs/received-messages.ts";
import { MESSAGE_MAX_BYTES, REQUEUE_CALLS_IN_FLIGHT, SQS_CALL_MS } from "../../functions/core/queue-limits.ts";
import type { ReceivedMessage } from "../../functions/core/queue-message.ts";
import { toRecord } from "../../localstack/event-source/record.ts";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import { describeReceivedMessages } from "../support/conformance/received-messages.ts";
import { eventually } from "../support/eventually.ts";
import { freezeDate } from "../support/freeze-date.ts";
import { memoryReceivedMessages } from "../support/memory-received-messages.ts";
import { simulateQueue } from "../support/simulated-queue.ts";
import { soonerThan } from "../support/sooner-than.ts";
import { arnOf, queueDepth, queueModel, receiveAll, sqsClient } from "../support/sqs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { soon } from "../support/database.ts";
import { stubAws } from "../support/local-aws.ts";
import { type SqsFaultProxy, startSqsFaultProxy } from "../support/sqs-fault-proxy.ts";

/** A deadline so near that a call without an answer ends long before its own time (SQS_CALL_MS) is over. */
const NEAR_MS = 100;
const BELOW_CALL_MS = SQS_CALL_MS - 200;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let sqs: Sqs;
/** Past the proxy. */
let client: SQSClient;
let proxy: SqsFaultProxy;
const logger = new Logger({ serviceName: "test", logLevel: "SILENT" });

beforeAll(async () => {
  folder = await temporaryFolder();
  const queues = [queueModel({ name: "events", visibilityTimeoutSeconds: 600 })];
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
afterEach(() => {
  proxy.onCall = undefined;
  vi.restoreAllMocks();
});
afterEach(() => client.send(new PurgeQueueCommand({ QueueUrl: sqs.queueUrl("events") })));

/** Receives messages as the event source does, and reads them as the function does. */
async function receiveMessages(): Promise<ReceivedMessage[]> {
  const messages = await receiveAll(client, sqs.queueUrl("events"));
  const from = { queueArn: arnOf("events"), region: "us-east-1" };
  return messages.map((message) => toReceivedMessage(toRecord(message, from)));
}

async function received(...bodies: string[]): Promise<ReceivedMessage[]> {
  const queueUrl = proxy.queueUrl(sqs.queueUrl("events"));
  const outgoing = bodies.map((body) => ({ body, group: "tenant-a" }));
  await createEventQueue({ queueUrl, logger }).send(outgoing, soon());
  proxy.setFaults();
  return receiveMessages();
}
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);
const bodies = (messages: ReceivedMessage[]) => messages.map(({ body }) => body).toSorted();

const depth = () => queueDepth(client, sqs.queueUrl("events"));

/** The calls of one action, by the number of their entries. */
const sizes = (action: string) =>
  proxy.calls.flatMap((call) => (call.action === action ? [call.entries.length] : [])).toSorted((a, b) => a - b);

const queue = () =>
  createReceivedMessages({ client: new SQSClient(), queueUrl: proxy.queueUrl(sqs.queueUrl("events")), logger });
const requeue = (messages: ReceivedMessage[], seconds = 0, deadline = soon()) =>
  queue().requeue(
    messages.map((message) => ({ ...message, seconds })),
    deadline,
  );

describeReceivedMessages("of SQS", async () => ({
  receivedMessages: queue(),
  received,
  receive: receiveMessages,
  depth,
  refuse: (body) =>
    proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody }) => MessageBody === body && "sender" }),
  outage: () => proxy.setFaults({ kind: "unavailable" }),
}));

describeReceivedMessages("in memory", async () => {
  const memory = simulateQueue(Math.random);
  let refused: string | undefined;
  let isDown = false;
  const receive = async () => memory.receive(1_000).map(toReceivedMessage);
  return {
    receivedMessages: memoryReceivedMessages(memory, { refuse: ({ body }) => body === refused, isDown: () => isDown }),
    received: async (...bodies) => {
      for (const body of bodies) memory.send({ body, group: "tenant-a" });
      return receive();
    },
    receive,
    depth: async () => memory.size(),
    refuse: (body) => {
      refused = body;
    },
    outage: () => {
      isDown = true;
    },
  };
});

describe("deleting messages", () => {
  it("deleting takes any number of messages, also messages that were deleted before", async () => {
    const messages = await received(...numbered(23));

    expect(await queue().delete(messages.slice(0, 5), soon())).toBe(true);
    expect(await queue().delete(messages, soon())).toBe(true);

    expect(sizes("DeleteMessageBatch")).toEqual([3, 5, 10, 10]);
    expect(await depth()).toBe(0);
  });

  it("deleting no messages makes no call", async () => {
    expect(await queue().delete([], soon())).toBe(true);

    expect(proxy.calls).toEqual([]);
  });

  it.each(["unavailable", "dropBefore", "hang"] as const)(
    "a deletion that SQS does not confirm (%s) returns false by the deadline",
    async (kind) => {
      const messages = await received("m0");
      proxy.setFaults({ kind });

      expect(await soonerThan(BELOW_CALL_MS, queue().delete(messages, Date.now() + NEAR_MS))).toBe(false);

      expect(await depth()).toBe(1);
    },
  );

  it("deleting returns false when SQS refuses one message of several", async () => {
    const messages = await received("m0", "m1");
    proxy.setFaults({ kind: "failEntries", entries: ({ Id }) => Id === "0" });

    expect(await queue().delete(messages, soon())).toBe(false);

    expect(await depth()).toBe(1);
  });
});

describe("requeuing messages", () => {
  it("requeuing delays the copy", async () => {
    const messages = await received("m0");
    const started = performance.now();

    await requeue(messages, 1);

    await eventually(receiveMessages, ({ length }) => length === 1);
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  it("requeuing takes any number of messages, ten ahead of the others", async () => {
    const messages = await received(...numbered(35));

    expect((await requeue(messages)).size).toBe(35);

    expect(proxy.calls.slice(0, 2).map(({ action }) => action)).toEqual(["SendMessageBatch", "DeleteMessageBatch"]);
    expect(sizes("SendMessageBatch")).toEqual([5, 10, 10, 10]);
    expect(bodies(await receiveMessages())).toEqual(numbered(35).toSorted());
  });

  it("requeuing takes messages of the greatest size, which leave no room for attributes", async () => {
    const large = ["a", "b"].map((character) => character.repeat(MESSAGE_MAX_BYTES));

    expect((await requeue(await received(...large))).size).toBe(2);

    expect(bodies(await receiveMessages()).map((body) => body.length)).toEqual([MESSAGE_MAX_BYTES, MESSAGE_MAX_BYTES]);
  });

  it.each(["unavailable", "dropBefore", "hang"] as const)(
    "requeuing tries ten messages, by the deadline, while SQS accepts none (%s)",
    async (kind) => {
      const messages = await received(...numbered(30));
      proxy.setFaults({ kind });
      const calls = vi.spyOn(SQSClient.prototype, "send");
      const deadline = freezeDate() + NEAR_MS;

      const requeuing = requeue(messages, 0, deadline);
      vi.setSystemTime(deadline);

      expect(await soonerThan(BELOW_CALL_MS, requeuing)).toEqual(new Set());
      expect(calls.mock.calls.map(([{ input }]) => (input as { Entries: unknown[] }).Entries.length)).toEqual([10]);
      expect(sizes("DeleteMessageBatch")).toEqual([]);
      expect(await depth()).toBe(30);
    },
  );

  it("requeuing sends ten copies and no more while SQS deletes no originals", async () => {
    const messages = await received(...numbered(30));
    proxy.setFaults({ kind: "unavailable", action: "DeleteMessageBatch" });

    expect((await requeue(messages)).size).toBe(10);

    expect(await depth()).toBe(40);
  });

  it("requeuing begins no call that does not fit the time, so that a slow SQS gets few copies too many", async () => {
    const messages = await received(...numbered(1_000));
    const deadline = freezeDate() + 20_000;
    let begun = 0;
    proxy.onCall = ({ action }) => {
      if (action === "SendMessageBatch" && ++begun === 4) vi.setSystemTime(deadline - SQS_CALL_MS + 1);
    };

    const requeued = await requeue(messages, 0, deadline);

    const enqueued = sizes("SendMessageBatch").reduce((sum, each) => sum + each, 0);
    expect(requeued.size).toBeGreaterThan(10);
    expect(begun).toBeLessThanOrEqual(4 + REQUEUE_CALLS_IN_FLIGHT);
    expect(enqueued).toBeLessThanOrEqual(requeued.size + 10 * REQUEUE_CALLS_IN_FLIGHT);
    expect(await depth()).toBeLessThanOrEqual(1_000 + 10 * REQUEUE_CALLS_IN_FLIGHT);
  });

  it("requeuing no messages makes no call", async () => {
    expect(await requeue([])).toEqual(new Set());

    expect(proxy.calls).toEqual([]);
  });
});
