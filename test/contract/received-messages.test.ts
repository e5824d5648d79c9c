import { Logger } from "@aws-lambda-powertools/logger";
import { PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { toReceivedMessage } from "../../functions/adapters/lambda/received-message.ts";
import { createEventQueue } from "../../functions/adapters/sqs/event-queue.ts";
import { createReceivedMessages } from "../../functions/adapters/sqs/received-messages.ts";
import { MESSAGE_MAX_BYTES, REQUEUE_CALLS_IN_FLIGHT } from "../../functions/core/queue-limits.ts";
import type { ReceivedMessage } from "../../functions/core/queue-message.ts";
import { toRecord } from "../../localstack/event-source/record.ts";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import { eventually } from "../support/eventually.ts";
import { arnOf, queueDepth, queueModel, receiveAll, sqsClient } from "../support/sqs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { soon } from "../support/database.ts";
import { stubAws } from "../support/local-aws.ts";
import { type SqsFaultProxy, startSqsFaultProxy } from "../support/sqs-fault-proxy.ts";

/** The most by which a call may come back after its deadline; less than one more call to SQS takes (SQS_CALL_MS). */
const GRACE_MS = 2_500;

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

describe("deleting messages", () => {
  it("deletes any number of messages, also those that were deleted before", async () => {
    const messages = await received(...numbered(23));

    expect(await queue().delete(messages.slice(0, 5), soon())).toBe(true);
    expect(await queue().delete(messages, soon())).toBe(true);

    expect(sizes("DeleteMessageBatch")).toEqual([3, 5, 10, 10]);
    expect(await depth()).toBe(0);
  });

  it("makes no call for no messages", async () => {
    expect(await queue().delete([], soon())).toBe(true);

    expect(proxy.calls).toEqual([]);
  });

  it.each(["unavailable", "dropBefore", "hang"] as const)(
    "returns false in time when SQS confirms nothing (%s)",
    async (kind) => {
      const messages = await received("m0");
      proxy.setFaults({ kind });
      const started = performance.now();

      expect(await queue().delete(messages, Date.now() + 400)).toBe(false);

      expect(performance.now() - started).toBeLessThan(400 + GRACE_MS);
      expect(await depth()).toBe(1);
    },
  );

  it("returns false when SQS refuses one message of several", async () => {
    const messages = await received("m0", "m1");
    proxy.setFaults({ kind: "failEntries", entries: ({ Id }) => Id === "0" });

    expect(await queue().delete(messages, soon())).toBe(false);

    expect(await depth()).toBe(1);
  });
});

describe("requeuing messages", () => {
  it("replaces a message by a copy of the same body, group and age with a new receive count", async () => {
    const [original] = (await received("m0")) as [ReceivedMessage];

    expect(await requeue([{ ...original, attempts: 7, replays: 2 }])).toEqual(new Set([original.messageId]));

    expect(await depth()).toBe(1);
    const [copy] = await receiveMessages();
    expect(copy).toMatchObject({ body: "m0", group: "tenant-a", receiveCount: 1, attempts: 8, replays: 2 });
    expect(copy?.firstSentAt).toBe(original.firstSentAt);
    expect(copy?.messageId).not.toBe(original.messageId);
  });

  it("delays the copy", async () => {
    const started = performance.now();

    await requeue(await received("m0"), 1);

    expect(await receiveMessages()).toEqual([]);
    await eventually(receiveMessages, ({ length }) => length === 1);
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  it("requeues any number of messages, ten ahead of the others", async () => {
    const messages = await received(...numbered(35));

    expect((await requeue(messages)).size).toBe(35);

    expect(proxy.calls.slice(0, 2).map(({ action }) => action)).toEqual(["SendMessageBatch", "DeleteMessageBatch"]);
    expect(sizes("SendMessageBatch")).toEqual([5, 10, 10, 10]);
    expect(bodies(await receiveMessages())).toEqual(numbered(35).toSorted());
  });

  it("requeues messages of the greatest size, which leave no room for attributes", async () => {
    const large = ["a", "b"].map((character) => character.repeat(MESSAGE_MAX_BYTES));

    expect((await requeue(await received(...large))).size).toBe(2);

    expect(bodies(await receiveMessages()).map((body) => body.length)).toEqual([MESSAGE_MAX_BYTES, MESSAGE_MAX_BYTES]);
  });

  it("leaves the messages that SQS did not accept in the queue, and reports which", async () => {
    const messages = await received("m0", "m1", "m2");
    proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody }) => MessageBody === "m1" });

    const requeued = await requeue(messages, 0, Date.now() + 2_000);

    const left = messages.filter(({ messageId }) => !requeued.has(messageId));
    expect(bodies(left)).toEqual(["m1"]);
    expect(await depth()).toBe(3);
    expect(bodies(await receiveMessages())).toEqual(["m0", "m2"]);
  });

  it.each(["unavailable", "dropBefore", "hang"] as const)(
    "tries ten messages, in time, while SQS accepts none (%s)",
    async (kind) => {
      const messages = await received(...numbered(30));
      proxy.setFaults({ kind });
      const started = performance.now();

      expect(await requeue(messages, 0, Date.now() + 400)).toEqual(new Set());

      expect(performance.now() - started).toBeLessThan(400 + GRACE_MS);
      expect(new Set(sizes("SendMessageBatch"))).toEqual(new Set([10]));
      expect(sizes("DeleteMessageBatch")).toEqual([]);
      expect(await depth()).toBe(30);
    },
  );

  it("sends ten copies and no more while SQS deletes no originals", async () => {
    const messages = await received(...numbered(30));
    proxy.setFaults({ kind: "unavailable", action: "DeleteMessageBatch" });

    expect((await requeue(messages, 0, Date.now() + 1_500)).size).toBe(10);

    expect(await depth()).toBe(40);
  });

  it("begins no call that does not fit the time, so that a slow SQS gets few copies too many", async () => {
    const messages = await received(...numbered(1_000));
    proxy.setFaults({ kind: "delay", milliseconds: 300 });

    const requeued = await requeue(messages, 0, Date.now() + 4_500);

    const enqueued = sizes("SendMessageBatch").reduce((sum, each) => sum + each, 0);
    expect(requeued.size).toBeGreaterThan(10);
    expect(enqueued).toBeLessThan(1_000);
    expect(enqueued).toBeLessThanOrEqual(requeued.size + 10 * REQUEUE_CALLS_IN_FLIGHT);
    expect(await depth()).toBeLessThanOrEqual(1_000 + 10 * REQUEUE_CALLS_IN_FLIGHT);
  });

  it("makes no call for no messages", async () => {
    expect(await requeue([])).toEqual(new Set());

    expect(proxy.calls).toEqual([]);
  });
});

const depth = () => queueDepth(client, sqs.queueUrl("events"));
