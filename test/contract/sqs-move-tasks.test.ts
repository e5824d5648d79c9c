import {
  CancelMessageMoveTaskCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  SendMessageBatchCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
  type StartMessageMoveTaskCommandInput,
} from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import { eventually } from "../support/eventually.ts";
import { arnOf, queueModel, receive, sqsClient } from "../support/sqs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const QUEUES = [
  queueModel({ name: "events", redrive: { deadLetterArn: arnOf("dead"), maxReceiveCount: 1 } }),
  queueModel({ name: "dead" }),
];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let sqs: Sqs;
let client: SQSClient;

const open = async () => {
  sqs = await startSqs({ dataDir: folder.path, queues: QUEUES, region: "us-east-1" });
  client = sqsClient(sqs.endpoint);
};
beforeEach(async () => {
  folder = await temporaryFolder();
  await open();
});
afterEach(async () => {
  client.destroy();
  await sqs.stop();
  await folder.remove();
});

const bodies = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);

async function send(queue: string, messages: string[]): Promise<void> {
  const Entries = messages.map((body, index) => ({
    Id: String(index),
    MessageBody: body,
    MessageGroupId: `group-${body}`,
    MessageAttributes: { reason: { DataType: "String", StringValue: `reason of ${body}` } },
  }));
  await client.send(new SendMessageBatchCommand({ QueueUrl: sqs.queueUrl(queue), Entries }));
}

/** Up to ten messages, by default without hiding them. */
const receiveFrom = (queue: string, visibilityTimeout = 0) =>
  receive(client, sqs.queueUrl(queue), { visibilityTimeout });

const start = (more: Partial<StartMessageMoveTaskCommandInput> = {}) =>
  client.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf("dead"), DestinationArn: arnOf("events"), ...more }));
const list = async (MaxResults?: number) =>
  (await client.send(new ListMessageMoveTasksCommand({ SourceArn: arnOf("dead"), MaxResults }))).Results ?? [];
const newest = async (): Promise<ListMessageMoveTasksResultEntry | undefined> => (await list())[0];
const ended = () =>
  eventually(async () => {
    const task = await newest();
    return task?.Status === "RUNNING" || task?.Status === "CANCELLING" ? undefined : task;
  });
const cancel = (TaskHandle: string | undefined) => client.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
const refused = (what: Promise<unknown>) =>
  what.then(
    () => undefined,
    (error: Error & { $metadata: { httpStatusCode?: number } }) => [
      error.name,
      error.$metadata.httpStatusCode,
      error.message,
    ],
  );

describe("a move task", () => {
  it("a move task moves every message, with its attributes and group, under a new id and send time", async () => {
    await send("dead", bodies(10));
    const before = await receiveFrom("dead");

    const { TaskHandle: handle } = await start();
    const task = await ended();
    const after = await receiveFrom("events");

    expect(JSON.parse(Buffer.from(handle ?? "", "base64").toString())).toEqual({
      taskId: expect.any(String),
      sourceArn: arnOf("dead"),
    });
    expect(task).toEqual({
      Status: "COMPLETED",
      SourceArn: arnOf("dead"),
      DestinationArn: arnOf("events"),
      ApproximateNumberOfMessagesMoved: 10,
      ApproximateNumberOfMessagesToMove: 10,
      StartedTimestamp: expect.any(Number),
    });
    const seen = after.map(({ Body, MessageAttributes, Attributes }) =>
      [
        Body,
        MessageAttributes?.["reason"]?.StringValue,
        Attributes?.MessageGroupId,
        Attributes?.ApproximateReceiveCount,
      ].join(),
    );
    expect(seen.toSorted()).toEqual(bodies(10).map((body) => `${body},reason of ${body},group-${body},1`));
    const ids = new Set(before.map(({ MessageId }) => MessageId));
    expect(after.filter(({ MessageId }) => ids.has(MessageId))).toEqual([]);
    const [oldest = 0] = before.map(({ Attributes }) => Number(Attributes?.SentTimestamp)).toSorted((a, b) => a - b);
    for (const { Attributes } of after) expect(Number(Attributes?.SentTimestamp)).toBeGreaterThan(oldest);
    expect(await receiveFrom("dead")).toEqual([]);
  });

  it("a move task leaves messages that are in flight and those that came after its start", async () => {
    await send("dead", ["held"]);
    await receiveFrom("dead", 30);
    await send("dead", bodies(4));
    await start({ MaxNumberOfMessagesPerSecond: 20 });
    await send("dead", ["late"]);

    const task = await ended();

    expect(task).toMatchObject({ Status: "COMPLETED", ApproximateNumberOfMessagesMoved: 4 });
    expect((await receiveFrom("dead")).map(({ Body }) => Body)).toEqual(["late"]);
  });

  it("a move task keeps to its rate, shows its handle while it runs, and can be cancelled", async () => {
    await send("dead", bodies(10));
    const { TaskHandle: handle } = await start({ MaxNumberOfMessagesPerSecond: 1 });
    const running = await eventually(async () => {
      const task = await newest();
      return task?.ApproximateNumberOfMessagesMoved === 0 ? undefined : task;
    });

    const answer = await cancel(handle);
    const cancelled = await ended();

    expect(running).toMatchObject({ Status: "RUNNING", TaskHandle: handle, MaxNumberOfMessagesPerSecond: 1 });
    expect(answer.ApproximateNumberOfMessagesMoved).toBeGreaterThan(0);
    expect(cancelled).toMatchObject({ Status: "CANCELLED", ApproximateNumberOfMessagesToMove: 10 });
    expect(cancelled).not.toHaveProperty("TaskHandle");
    const moved = Number(cancelled.ApproximateNumberOfMessagesMoved);
    expect(moved).toBeLessThanOrEqual((Date.now() - Number(running.StartedTimestamp)) / 1_000);
    expect(await receiveFrom("dead")).toHaveLength(10 - moved);
  });

  it("a move task survives a kill: every message is in one of the two queues", async () => {
    await send("dead", bodies(10));
    await start({ MaxNumberOfMessagesPerSecond: 50 });
    await eventually(async () => Number((await newest())?.ApproximateNumberOfMessagesMoved) || undefined);

    process.kill(sqs.pid, "SIGKILL");
    await sqs.exited;
    client.destroy();
    await open();

    const found = [...(await receiveFrom("events", 30)), ...(await receiveFrom("dead", 30))].map(
      ({ Body = "" }) => Body,
    );
    expect(found.toSorted()).toEqual(bodies(10));
  });

  it("a move task fails without a destination, and moves nothing", async () => {
    await send("dead", bodies(2));

    await client.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf("dead") }));

    expect(await ended()).toMatchObject({
      Status: "FAILED",
      FailureReason: "CouldNotDetermineMessageSource",
      ApproximateNumberOfMessagesMoved: 0,
    });
    expect(await receiveFrom("dead")).toHaveLength(2);
  });

  it("a move task is listed with those before it, newest first", async () => {
    await start();
    const first = await ended();
    await eventually(Date.now, (now) => now > Number(first.StartedTimestamp));
    await start({ MaxNumberOfMessagesPerSecond: 500 });
    await ended();

    const both = await list(10);

    expect(both.map(({ MaxNumberOfMessagesPerSecond: rate }) => rate)).toEqual([500, undefined]);
    expect(await list()).toEqual(both.slice(0, 1));
  });
});

describe("a move task is refused", () => {
  it.each([
    ["a source that is not there", { SourceArn: arnOf("none") }, "ResourceNotFoundException", 404, "SourceArn"],
    ["a destination that is not there", { DestinationArn: arnOf("none") }, "ResourceNotFoundException", 404, "Dest"],
    ["a source that is no dead-letter queue", { SourceArn: arnOf("events") }, "InvalidParameterValue", 400, "Dead"],
    ["a rate over 500", { MaxNumberOfMessagesPerSecond: 501 }, "InvalidParameterValue", 400, "between 1 and 500"],
  ])("a move task is refused with %s", async (_, input, name, status, message) => {
    expect(await refused(start(input))).toEqual([name, status, expect.stringContaining(message)]);
    expect(await list()).toEqual([]);
  });

  it("a move task is refused while another one runs", async () => {
    await send("dead", bodies(10));
    const { TaskHandle: handle } = await start({ MaxNumberOfMessagesPerSecond: 1 });

    expect(await refused(start())).toEqual([
      "InvalidParameterValue",
      400,
      "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
    ]);
    await cancel(handle);
  });

  it("an ended move task or a malformed handle cannot be cancelled", async () => {
    const { TaskHandle: handle } = await start();
    await ended();

    expect(await refused(cancel(handle))).toEqual(["ResourceNotFoundException", 404, "Task does not exist."]);
    expect(await refused(cancel("none"))).toEqual([
      "InvalidParameterValue",
      400,
      "Value for parameter TaskHandle is invalid.",
    ]);
  });
});
