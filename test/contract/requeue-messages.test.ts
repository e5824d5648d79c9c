import { Logger } from "@aws-lambda-powertools/logger";
import { PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createSqsAcknowledge } from "../../functions/adapters/sqs/delete-messages.ts";
import { toReceivedMessage } from "../../functions/adapters/lambda/received-message.ts";
import type { ReceivedMessage } from "../../functions/core/batch.ts";
import { createSqsEventQueue } from "../../functions/adapters/sqs/event-queue.ts";
import { createSqsRenew } from "../../functions/adapters/sqs/requeue-messages.ts";
import { MESSAGE_MAX_BYTES, RENEW_GROUPS_IN_FLIGHT } from "../../functions/core/limits.ts";
import { toRecord } from "../../localstack/event-source/record.ts";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import { eventually } from "../support/eventually.ts";
import { arnOf, queueDepth, queueModel, receiveAll, sqsClient } from "../support/sqs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { soon } from "../support/database.ts";
import { stubAws } from "../support/local-aws.ts";
import { type SqsFaultProxy, startSqsFaultProxy } from "../support/sqs-fault-proxy.ts";

/** How much later than its deadline a call may come back; less than one more call to SQS takes (SQS_CALL_MS). */
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

/** The event source's own reading of a message, then the chain's. */
async function receiveMessages(): Promise<ReceivedMessage[]> {
  const messages = await receiveAll(client, sqs.queueUrl("events"));
  const from = { queueArn: arnOf("events"), region: "us-east-1" };
  return messages.map((message) => toReceivedMessage(toRecord(message, from)));
}

async function received(...bodies: string[]): Promise<ReceivedMessage[]> {
  const queueUrl = proxy.queueUrl(sqs.queueUrl("events"));
  const messages = bodies.map((body) => ({ body, group: "tenant-a" }));
  await createSqsEventQueue({ queueUrl, logger }).send(messages, soon());
  proxy.setFaults();
  return receiveMessages();
}
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);
const bodies = (deliveries: ReceivedMessage[]) => deliveries.map(({ body }) => body).toSorted();

/** The calls of one action, by the number of their entries. */
const sizes = (action: string) =>
  proxy.calls.flatMap((call) => (call.action === action ? [call.entries.length] : [])).toSorted((a, b) => a - b);

const queue = () => ({ client: new SQSClient(), queueUrl: proxy.queueUrl(sqs.queueUrl("events")), logger });
const acknowledge = () => createSqsAcknowledge(queue());
const renew = (deliveries: ReceivedMessage[], seconds = 0, deadline = soon()) =>
  createSqsRenew({ ...queue(), acknowledge: acknowledge() })(
    deliveries.map((delivery) => ({ ...delivery, seconds })),
    deadline,
  );

describe("acknowledging", () => {
  it("removes any number of messages, those that were removed before too", async () => {
    const deliveries = await received(...numbered(23));

    expect(await acknowledge()(deliveries.slice(0, 5), soon())).toBe(true);
    expect(await acknowledge()(deliveries, soon())).toBe(true);

    expect(sizes("DeleteMessageBatch")).toEqual([3, 5, 10, 10]);
    expect(await depth()).toBe(0);
  });

  it("of nothing needs no call", async () => {
    expect(await acknowledge()([], soon())).toBe(true);

    expect(proxy.calls).toEqual([]);
  });

  it.each(["unavailable", "dropBefore", "hang"] as const)(
    "that SQS does not confirm (%s) says so, in time",
    async (kind) => {
      const deliveries = await received("m0");
      proxy.setFaults({ kind });
      const started = performance.now();

      expect(await acknowledge()(deliveries, Date.now() + 400)).toBe(false);

      expect(performance.now() - started).toBeLessThan(400 + GRACE_MS);
      expect(await depth()).toBe(1);
    },
  );

  it("that SQS refuses for one message of several says so", async () => {
    const deliveries = await received("m0", "m1");
    proxy.setFaults({ kind: "failEntries", entries: ({ Id }) => Id === "0" });

    expect(await acknowledge()(deliveries, soon())).toBe(false);

    expect(await depth()).toBe(1);
  });
});

describe("renewing", () => {
  it("puts a copy in the place of a message: the same body, group and age, with a new receive count", async () => {
    const [original] = (await received("m0")) as [ReceivedMessage];

    expect(await renew([{ ...original, attempts: 7, replays: 2 }])).toEqual(new Set([original.messageId]));

    expect(await depth()).toBe(1);
    const [copy] = await receiveMessages();
    expect(copy).toMatchObject({ body: "m0", group: "tenant-a", receiveCount: 1, attempts: 8, replays: 2 });
    expect(copy?.sentAt).toBe(original.sentAt);
    expect(copy?.messageId).not.toBe(original.messageId);
  });

  it("hides the copy for its time", async () => {
    const started = performance.now();

    await renew(await received("m0"), 1);

    expect(await receiveMessages()).toEqual([]);
    await eventually(receiveMessages, ({ length }) => length === 1);
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  it("takes as many messages as a batch has, ten ahead of the others", async () => {
    const deliveries = await received(...numbered(35));

    expect((await renew(deliveries)).size).toBe(35);

    expect(proxy.calls.slice(0, 2).map(({ action }) => action)).toEqual(["SendMessageBatch", "DeleteMessageBatch"]);
    expect(sizes("SendMessageBatch")).toEqual([5, 10, 10, 10]);
    expect(bodies(await receiveMessages())).toEqual(numbered(35).toSorted());
  });

  it("takes messages of the greatest size, whose attributes have no room", async () => {
    const large = ["a", "b"].map((letter) => letter.repeat(MESSAGE_MAX_BYTES));

    expect((await renew(await received(...large))).size).toBe(2);

    expect(bodies(await receiveMessages()).map((body) => body.length)).toEqual([MESSAGE_MAX_BYTES, MESSAGE_MAX_BYTES]);
  });

  it("leaves in the queue what SQS did not take, and says which", async () => {
    const deliveries = await received("m0", "m1", "m2");
    proxy.setFaults({ kind: "failEntries", entries: ({ MessageBody }) => MessageBody === "m1" });

    const renewed = await renew(deliveries, 0, Date.now() + 2_000);

    const left = deliveries.filter(({ messageId }) => !renewed.has(messageId));
    expect(bodies(left)).toEqual(["m1"]);
    expect(await depth()).toBe(3);
    expect(bodies(await receiveMessages())).toEqual(["m0", "m2"]);
  });

  it.each(["unavailable", "dropBefore", "hang"] as const)(
    "tries ten while SQS takes none (%s), in time",
    async (kind) => {
      const deliveries = await received(...numbered(30));
      proxy.setFaults({ kind });
      const started = performance.now();

      expect(await renew(deliveries, 0, Date.now() + 400)).toEqual(new Set());

      expect(performance.now() - started).toBeLessThan(400 + GRACE_MS);
      expect(new Set(sizes("SendMessageBatch"))).toEqual(new Set([10]));
      expect(sizes("DeleteMessageBatch")).toEqual([]);
      expect(await depth()).toBe(30);
    },
  );

  it("makes ten copies and no more while SQS deletes no originals", async () => {
    const deliveries = await received(...numbered(30));
    proxy.setFaults({ kind: "unavailable", action: "DeleteMessageBatch" });

    expect((await renew(deliveries, 0, Date.now() + 1_500)).size).toBe(10);

    expect(await depth()).toBe(40);
  });

  it("begins no more than fits the time where SQS is slow, so that few copies are too many", async () => {
    const deliveries = await received(...numbered(1_000));
    proxy.setFaults({ kind: "delay", milliseconds: 300 });

    const renewed = await renew(deliveries, 0, Date.now() + 4_500);

    const stored = sizes("SendMessageBatch").reduce((sum, each) => sum + each, 0);
    expect(renewed.size).toBeGreaterThan(10);
    expect(stored).toBeLessThan(1_000);
    expect(stored).toBeLessThanOrEqual(renewed.size + 10 * RENEW_GROUPS_IN_FLIGHT);
    expect(await depth()).toBeLessThanOrEqual(1_000 + 10 * RENEW_GROUPS_IN_FLIGHT);
  });

  it("of nothing needs no call", async () => {
    expect(await renew([])).toEqual(new Set());

    expect(proxy.calls).toEqual([]);
  });
});

const depth = () => queueDepth(client, sqs.queueUrl("events"));
