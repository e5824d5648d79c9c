import { createHash } from "node:crypto";
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type EventSource, startEventSource } from "../../localstack/event-source/event-source.ts";
import type { InvokeResult } from "../../localstack/lambda/invoke.ts";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import type { EventSourceModel, QueueModel } from "../../localstack/template/model.ts";
import { eventually } from "../support/eventually.ts";
import { freezeDate } from "../support/freeze-date.ts";
import { startSqsFaultProxy } from "../support/sqs-fault-proxy.ts";
import { arnOf, queueCounts, queueModel, sqsClient } from "../support/sqs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SUCCESS: InvokeResult = { kind: "success", payload: '{"batchItemFailures":[]}' };

/** Each test has a separate queue, so that one process serves all tests. */
const QUEUES: QueueModel[] = Array.from({ length: 25 }, (_, index) => [
  queueModel({ name: `events-${index}`, redrive: { deadLetterArn: arnOf(`dead-${index}`), maxReceiveCount: 3 } }),
  queueModel({ name: `dead-${index}` }),
]).flat();
QUEUES.push(queueModel({ name: "brief", visibilityTimeoutSeconds: 1 }));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let sqs: Sqs;
let client: SQSClient;
let test = -1;
let queue: string;
let source: EventSource | undefined;
let invocations: SQSEvent[];
let lines: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  sqs = await startSqs({ dataDir: folder.path, queues: QUEUES, region: "us-east-1" });
  client = sqsClient(sqs.endpoint);
});

afterAll(async () => {
  client.destroy();
  await sqs.stop();
  await folder.remove();
});

beforeEach(() => {
  test += 1;
  queue = `events-${test}`;
  invocations = [];
  lines = [];
});

afterEach(async () => {
  await source?.stop();
  source = undefined;
});

type Answer = (event: SQSEvent, attempt: number) => InvokeResult | Promise<InvokeResult>;

function start(
  changes: Partial<EventSourceModel> = {},
  answer: Answer = () => SUCCESS,
  { endpoint, queueUrl } = { endpoint: sqs.endpoint, queueUrl: sqs.queueUrl(queue) },
): void {
  source = startEventSource({
    mapping: {
      queueArn: arnOf(queue),
      functionArn: "arn:aws:lambda:us-east-1:000000000000:function:consume",
      batchSize: 10,
      windowSeconds: 0,
      maximumConcurrency: undefined,
      reportBatchItemFailures: true,
      ...changes,
    },
    queueUrl,
    endpoint,
    region: "us-east-1",
    log: (line) => lines.push(line),
    invoke: async (payload) => {
      const event = JSON.parse(payload) as SQSEvent;
      invocations.push(event);
      return answer(event, invocations.length);
    },
  });
}

/** Starts an event source whose calls the returned proxy sees. */
async function startThroughProxy(changes: Partial<EventSourceModel> = {}, answer?: Answer) {
  const proxy = await startSqsFaultProxy(sqs.endpoint);
  onTestFinished(() => proxy.stop());
  start(changes, answer, { endpoint: proxy.url, queueUrl: proxy.queueUrl(sqs.queueUrl(queue)) });
  return { receives: () => proxy.calls.filter(({ action }) => action === "ReceiveMessage") };
}

async function send(...bodies: string[]): Promise<void> {
  for (let from = 0; from < bodies.length; from += 10) {
    const entries = bodies.slice(from, from + 10).map((body, index) => ({ Id: String(index), MessageBody: body }));
    const { Failed: failed } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: sqs.queueUrl(queue), Entries: entries }),
    );
    expect(failed ?? []).toEqual([]);
  }
}

const counts = (name = queue) => queueCounts(client, sqs.queueUrl(name));

const become = (visible: number, hidden: number, name = queue) =>
  eventually(
    () => counts(name),
    (now) => now.visible === visible && now.hidden === hidden,
  );

const invoked = (times: number) =>
  eventually(
    () => invocations.length,
    (count) => count >= times,
  );

const bodies = (event: SQSEvent | undefined) => event?.Records.map(({ body }) => body);

const failing = (id: string | undefined): InvokeResult => ({
  kind: "success",
  payload: JSON.stringify({ batchItemFailures: [{ itemIdentifier: id }] }),
});

describe("a batch", () => {
  it("a batch that was processed is deleted", async () => {
    start();

    await send("a", "b");
    await invoked(1);

    expect(await become(0, 0)).toMatchObject({ visible: 0, hidden: 0 });
  });

  it("a batch holds records in the form of Lambda", async () => {
    await client.send(
      new SendMessageCommand({
        QueueUrl: sqs.queueUrl(queue),
        MessageBody: "é",
        MessageGroupId: "tenant-1",
        MessageAttributes: {
          kind: { DataType: "String", StringValue: "x" },
          bytes: { DataType: "Binary", BinaryValue: new Uint8Array([1, 2, 255]) },
        },
      }),
    );

    start();
    await invoked(1);

    expect(invocations[0]?.Records).toEqual([
      {
        messageId: expect.any(String),
        receiptHandle: expect.any(String),
        body: "é",
        attributes: {
          ApproximateReceiveCount: "1",
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
          MessageGroupId: "tenant-1",
        },
        messageAttributes: {
          kind: { stringValue: "x", dataType: "String", stringListValues: [], binaryListValues: [] },
          bytes: { binaryValue: "AQL/", dataType: "Binary", stringListValues: [], binaryListValues: [] },
        },
        md5OfBody: createHash("md5").update("é").digest("hex"),
        md5OfMessageAttributes: expect.any(String),
        eventSource: "aws:sqs",
        eventSourceARN: arnOf(queue),
        awsRegion: "us-east-1",
      },
    ]);
  });

  it("a batch closes at its size, however many receives that takes", async () => {
    const sent = Array.from({ length: 60 }, (_, index) => String(index));
    await send(...sent);

    start({ batchSize: 25, windowSeconds: 300 });
    await invoked(2);

    expect(invocations.map(({ Records: records }) => records.length)).toEqual([25, 25]);
    expect(new Set(invocations.flatMap((event) => bodies(event))).size).toBe(50);
    await become(0, 10);
  });

  it("a batch closes when its window is over, and not before", async () => {
    const started = freezeDate();
    const { receives } = await startThroughProxy({ batchSize: 100, windowSeconds: 3 });
    await send("first");
    await become(0, 1);
    await send("second");
    await become(0, 2);
    vi.setSystemTime(started + 2_999);
    const before = receives().length;
    await eventually(receives, ({ length }) => length > before + 2);
    expect(invocations).toEqual([]);

    vi.setSystemTime(started + 3_000);
    await invoked(1);

    expect(bodies(invocations[0])).toEqual(["first", "second"]);
    expect(lines).toEqual([]);
  });

  it("a batch closes at 6 MB, and the message that did not fit opens the next one", async () => {
    const large = "é".repeat(450_000);
    for (let index = 0; index < 8; index += 1) await send(`${index}${large}`);

    start({ batchSize: 100, windowSeconds: 1 });
    await become(0, 0);

    expect(
      invocations.map((event) =>
        bodies(event)
          ?.map((body) => body[0])
          .join(""),
      ),
    ).toEqual(["012345", "67"]);
  });

  it("a batch without a window does not wait for the end of a poll or for more messages", async () => {
    let receivesBefore: number | undefined;
    const { receives } = await startThroughProxy({}, () => {
      receivesBefore = receives().length;
      return SUCCESS;
    });
    await eventually(receives, ({ length }) => length === 1);

    await send("a");
    await invoked(1);

    expect(invocations[0]?.Records).toHaveLength(1);
    expect(receivesBefore).toBe(1);
  });
});

describe("a failure", () => {
  it("a failure reported for one message keeps that one in flight until its visibility timeout", async () => {
    start({}, (event) => failing(event.Records.find(({ body }) => body === "bad")?.messageId));

    await send("good", "bad", "good too");
    await invoked(1);

    expect(await become(0, 1)).toMatchObject({ visible: 0, hidden: 1 });
  });

  it("a failure is retried at once, with its receive count, where the function made the message visible", async () => {
    start({}, async ({ Records: [record] }, attempt) => {
      if (attempt > 1) return SUCCESS;
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: sqs.queueUrl(queue),
          ReceiptHandle: record?.receiptHandle,
          VisibilityTimeout: 0,
        }),
      );
      return failing(record?.messageId);
    });

    await send("twice");
    await become(0, 0);

    expect(invocations.map(({ Records: [record] }) => record?.attributes.ApproximateReceiveCount)).toEqual(["1", "2"]);
  });

  it("a failure with a response that Lambda cannot read keeps the whole batch and says why", async () => {
    start({}, () => failing("not one of them"));

    await send("a", "b");
    await invoked(1);
    await become(0, 2);

    expect(lines).toEqual(["2 messages will be tried again: the itemIdentifier not one of them is not in the batch"]);
  });

  it("a failure of the function keeps the whole batch", async () => {
    start({}, () => ({ kind: "error", errorType: "Error", errorMessage: "no", stack: [] }));

    await send("a", "b");
    await invoked(1);

    expect(await become(0, 2)).toMatchObject({ visible: 0, hidden: 2 });
  });

  it("a failure of the invocation itself keeps the whole batch", async () => {
    start({}, () => Promise.reject(new Error("the runtime has ended")));

    await send("a");
    await eventually(() => lines[0]);

    expect(lines[0]).toContain("the runtime has ended");
    await become(0, 1);
  });

  it("a failure repeated beyond the redrive policy ends in the dead-letter queue", async () => {
    start({}, async ({ Records: [record] }) => {
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: sqs.queueUrl(queue),
          ReceiptHandle: record?.receiptHandle,
          VisibilityTimeout: 0,
        }),
      );
      return failing(record?.messageId);
    });

    await send("poison");
    await become(1, 0, `dead-${test}`);

    expect(invocations).toHaveLength(3);
  });
});

describe("concurrency", () => {
  it("an event source never exceeds the mapping's maximum, and receives no more than it can invoke", async () => {
    const gate = Promise.withResolvers<InvokeResult>();
    start({ batchSize: 1, maximumConcurrency: 2 }, () => gate.promise);

    await send("a", "b", "c", "d");
    await invoked(2);
    await become(2, 2);
    gate.resolve(SUCCESS);
    await become(0, 0);

    expect(invocations).toHaveLength(4);
  });

  it("an event source tries a throttled batch again until there is capacity", async () => {
    start({}, (_, attempt) => (attempt < 3 ? { kind: "throttle" } : SUCCESS));

    await send("a");
    await become(0, 0);

    expect(invocations.map((event) => event.Records[0]?.attributes.ApproximateReceiveCount)).toEqual(["1", "1", "1"]);
  });
});

describe("a batch that stays throttled", () => {
  it("a batch that stays throttled is released before its visibility timeout, and counts as received", async () => {
    queue = "brief";
    start({}, () => ({ kind: "throttle" }));

    await send("a");
    const again = await eventually(() =>
      invocations.find(({ Records: [record] }) => record?.attributes.ApproximateReceiveCount === "2"),
    );

    expect(bodies(again)).toEqual(["a"]);
    expect(lines[0]).toBe("1 messages are released: no capacity before their visibility timeout");
  });
});

/** While a batch runs. A poll that was hung up is given what becomes visible before the queue notices that. */
const NO_OTHER_POLL = { maximumConcurrency: 1 };

describe("a stop", () => {
  it("a stop of an event source hangs up its long poll, and begins no other", async () => {
    const { receives } = await startThroughProxy();
    await eventually(receives, ({ length }) => length > 0);

    await source?.stop();

    const [poll, ...others] = await eventually(receives, ([first]) => first?.isUnanswered === true);
    expect(poll?.isUnanswered).toBe(true);
    expect(others).toEqual([]);
  });

  it("a stop of an event source makes messages visible that were received and not delivered", async () => {
    start({ batchSize: 100, windowSeconds: 300 });
    await send("a", "b");
    await become(0, 2);

    await source?.stop();

    expect(await counts()).toMatchObject({ visible: 2, hidden: 0 });
    expect(invocations).toEqual([]);
  });

  it("a stop of an event source makes a throttled batch visible", async () => {
    start(NO_OTHER_POLL, () => ({ kind: "throttle" }));
    await send("a");
    await invoked(1);

    await source?.stop();

    expect(await counts()).toMatchObject({ visible: 1, hidden: 0 });
  });

  it("a stop of an event source makes the messages of a running batch visible once it has to give up", async () => {
    start(NO_OTHER_POLL, () => new Promise(() => undefined));
    await send("a", "b");
    await invoked(1);

    await source?.stop(AbortSignal.abort());

    expect(await counts()).toMatchObject({ visible: 2, hidden: 0 });
  });

  it("a stop of an event source waits for the running batch and deletes its processed messages", async () => {
    const gate = Promise.withResolvers<InvokeResult>();
    start({}, () => gate.promise);
    await send("a");
    await invoked(1);

    const stopped = source?.stop();
    gate.resolve(SUCCESS);
    await stopped;

    expect(await counts()).toMatchObject({ visible: 0, hidden: 0 });
  });
});

describe("a queue that does not answer", () => {
  it("a queue that does not answer is polled again when it answers, and loses nothing", async () => {
    const port = Number(new URL(sqs.endpoint).port);
    start();
    process.kill(sqs.pid, "SIGKILL");
    await eventually(() => lines[0]);
    sqs = await startSqs({ dataDir: folder.path, queues: QUEUES, region: "us-east-1", port });

    await send("after");
    await invoked(1);
    await become(0, 0);

    expect(lines).toEqual([expect.stringContaining("SQS does not answer"), "SQS answers again"]);
  });

  it("a queue that does not answer before a processed batch is deleted gets the deletion later", async () => {
    const port = Number(new URL(sqs.endpoint).port);
    start({}, async () => {
      process.kill(sqs.pid, "SIGKILL");
      await sqs.exited;
      return SUCCESS;
    });

    await send("a");
    await invoked(1);
    await sqs.exited;
    sqs = await startSqs({ dataDir: folder.path, queues: QUEUES, region: "us-east-1", port });

    await become(0, 0);
    expect(invocations).toHaveLength(1);
  });
});
