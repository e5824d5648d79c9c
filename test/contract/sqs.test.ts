import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadFauxqs, type Persistence } from "../../localstack/sqs/fauxqs.ts";
import { repairFauxqs } from "../../localstack/sqs/repair-fauxqs.ts";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import type { QueueModel } from "../../localstack/template/model.ts";
import { eventually } from "../support/eventually.ts";
import { arnOf, queueModel, sqsClient } from "../support/sqs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const EVENTS = queueModel({ name: "events", redrive: { deadLetterArn: arnOf("dead"), maxReceiveCount: 2 } });
const DEAD = queueModel({ name: "dead", messageRetentionSeconds: 1_209_600 });

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let sqs: Sqs;
let client: SQSClient;

async function open(): Promise<void> {
  folder = await temporaryFolder();
  await start([EVENTS, DEAD]);
}

async function close(): Promise<void> {
  await stop();
  await folder.remove();
}

function useOneProcessPerTest(): void {
  beforeEach(open);
  afterEach(close);
}

/** For tests that leave only messages behind. */
function useOneProcess(): void {
  beforeAll(open);
  afterAll(close);
  afterEach(async () => {
    for (const name of ["events", "dead"]) await client.send(new PurgeQueueCommand({ QueueUrl: sqs.queueUrl(name) }));
  });
}

async function start(queues: QueueModel[], port?: number): Promise<void> {
  sqs = await startSqs({ dataDir: folder.path, queues, region: "us-east-1", ...(port === undefined ? {} : { port }) });
  client = sqsClient(sqs.endpoint);
}

async function stop(): Promise<void> {
  client.destroy();
  await sqs.stop();
}

async function send(body: string, more: { MessageGroupId?: string } = {}): Promise<string> {
  const sent = await client.send(
    new SendMessageCommand({ QueueUrl: sqs.queueUrl("events"), MessageBody: body, ...more }),
  );
  return sent.MessageId ?? "";
}

async function receive(more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const received = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: sqs.queueUrl("events"),
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
      ...more,
    }),
  );
  return received.Messages ?? [];
}

async function attributes(queue = "events"): Promise<Record<string, string>> {
  const command = new GetQueueAttributesCommand({ QueueUrl: sqs.queueUrl(queue), AttributeNames: ["All"] });
  return (await client.send(command)).Attributes ?? {};
}

const change = (message: Message | undefined, seconds: number) =>
  client.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: sqs.queueUrl("events"),
      ReceiptHandle: message?.ReceiptHandle,
      VisibilityTimeout: seconds,
    }),
  );

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 20_000 });
    const end = (answered: boolean) => () => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}

describe("the SQS process", () => {
  useOneProcess();

  it("the SQS process answers on the loopback interface only", async () => {
    const port = Number(new URL(sqs.endpoint).port);
    const outside = Object.values(networkInterfaces())
      .flat()
      .flatMap((address) => (address?.internal === false && address.family === "IPv4" ? [address.address] : []));

    const others = await Promise.all((outside.length > 0 ? outside : ["127.0.0.2"]).map((host) => answers(host, port)));

    expect(others.filter(Boolean)).toEqual([]);
    expect(await answers("127.0.0.1", port)).toBe(true);
  });

  it("the SQS process survives the signal that Ctrl-C sends to the whole terminal group", async () => {
    process.kill(sqs.pid, "SIGINT");

    await expect(send("after the signal")).resolves.not.toBe("");
  });

  it("the SQS process says which port is taken", async () => {
    const { port } = new URL(sqs.endpoint);
    const other = await temporaryFolder();

    const second = startSqs({ dataDir: other.path, port: Number(port), queues: [], region: "us-east-1" });

    await expect(second).rejects.toThrow(`port ${port} is in use`);
    await other.remove();
  });

  it("the SQS process does not share its folder with a second process", async () => {
    const second = startSqs({ dataDir: folder.path, queues: [], region: "us-east-1" });

    await expect(second).rejects.toThrow("another process uses");
  });
});

describe("queues", () => {
  useOneProcessPerTest();

  it("queues have the attributes of the template", async () => {
    await stop();
    await start([
      queueModel({
        visibilityTimeoutSeconds: 370,
        messageRetentionSeconds: 86_400,
        maximumMessageSizeBytes: 2048,
        receiveWaitSeconds: 7,
        delaySeconds: 3,
        redrive: { deadLetterArn: arnOf("dead"), maxReceiveCount: 100 },
      }),
      DEAD,
    ]);

    expect(await attributes()).toMatchObject({
      QueueArn: arnOf("events"),
      VisibilityTimeout: "370",
      MessageRetentionPeriod: "86400",
      MaximumMessageSize: "2048",
      ReceiveMessageWaitTimeSeconds: "7",
      DelaySeconds: "3",
    });
    expect(JSON.parse((await attributes())["RedrivePolicy"] ?? "")).toEqual({
      deadLetterTargetArn: arnOf("dead"),
      maxReceiveCount: 100,
    });
  });

  it("queues lose a redrive policy that left the template", async () => {
    await stop();
    await start([queueModel(), DEAD]);

    expect(await attributes()).not.toHaveProperty("RedrivePolicy");
  });

  it("queues have URLs with the port of this start, also after a start on another port", async () => {
    const first = sqs.endpoint;
    await stop();
    await start([EVENTS, DEAD]);

    const { QueueUrl: asked } = await client.send(new GetQueueUrlCommand({ QueueName: "events" }));
    const { QueueUrls: listed } = await client.send(new ListQueuesCommand({}));

    expect(sqs.endpoint).not.toBe(first);
    expect(asked).toBe(`${sqs.endpoint}/000000000000/events`);
    expect(listed).toEqual([`${sqs.endpoint}/000000000000/dead`, `${sqs.endpoint}/000000000000/events`]);
  });

  it("queues that left the template keep their messages and are named", async () => {
    await send("kept");
    await stop();
    const notes: string[] = [];

    sqs = await startSqs({
      dataDir: folder.path,
      queues: [DEAD],
      region: "us-east-1",
      log: (line) => notes.push(line),
    });

    expect(notes).toEqual(["The queue events is no longer in the template; 1 messages are kept in it."]);
  });
});

describe("messages survive", () => {
  useOneProcessPerTest();

  it("messages survive a stop and a start, with their receive count, group and first receive", async () => {
    const id = await send("kept", { MessageGroupId: "tenant-1" });
    const [before] = await receive();
    await change(before, 0);
    await stop();
    await start([EVENTS, DEAD]);

    const [after] = await receive();

    expect(after).toMatchObject({ MessageId: id, Body: "kept" });
    expect(after?.Attributes).toEqual({ ...before?.Attributes, ApproximateReceiveCount: "2" });
    expect(after?.Attributes).toMatchObject({ MessageGroupId: "tenant-1" });
  });

  it("messages survive a stop while they are in flight, and are visible after their visibility timeout", async () => {
    await send("hidden for long");
    await receive({ VisibilityTimeout: 3_600 });
    await send("hidden for a second");
    await receive({ VisibilityTimeout: 1 });
    await stop();
    await start([EVENTS, DEAD]);

    const back = await eventually(receive, (messages) => messages.length > 0);

    expect(back.map(({ Body: body, Attributes: seen }) => [body, seen?.ApproximateReceiveCount])).toEqual([
      ["hidden for a second", "2"],
    ]);
    expect(await attributes()).toMatchObject({ ApproximateNumberOfMessagesNotVisible: "2" });
  });

  it("messages survive an unclean end in flight, and are visible at once to the only runtime", async () => {
    await send("in flight");
    await receive({ VisibilityTimeout: 370 });
    process.kill(sqs.pid, "SIGKILL");
    await sqs.exited;
    client.destroy();
    sqs = await startSqs({ dataDir: folder.path, queues: [EVENTS, DEAD], region: "us-east-1", releaseInFlight: true });
    client = sqsClient(sqs.endpoint);

    const [back] = await receive();

    expect(back).toMatchObject({ Body: "in flight", Attributes: { ApproximateReceiveCount: "2" } });
  });

  it("messages survive a kill at any time if they were acknowledged and not deleted", async () => {
    const answered = await Promise.all(Array.from({ length: 30 }, (_, index) => send(`message ${index}`)));
    const [deleted] = await receive({ MaxNumberOfMessages: 1 });
    await client.send(
      new DeleteMessageCommand({ QueueUrl: sqs.queueUrl("events"), ReceiptHandle: deleted?.ReceiptHandle }),
    );

    process.kill(sqs.pid, "SIGKILL");
    await sqs.exited;
    client.destroy();
    await start([EVENTS, DEAD]);

    const found: (string | undefined)[] = [];
    for (let batch = await receive(); batch.length > 0; batch = await receive()) {
      found.push(...batch.map(({ MessageId: id }) => id));
    }
    expect(new Set(found)).toEqual(new Set(answered.filter((id) => id !== deleted?.MessageId)));
    expect(found).toHaveLength(answered.length - 1);
  });
});

describe("a message", () => {
  useOneProcess();

  it("a message of 1 MiB comes back equal, and of one byte more is refused", async () => {
    const largest = "é".repeat(524_288);

    await send(largest);

    expect((await receive())[0]?.Body).toBe(largest);
    await expect(send(`${largest}x`)).rejects.toThrow("must be shorter than 1048576 bytes");
  });

  it("a message may hold every character that SQS accepts, emoji included, and no other", async () => {
    await send("tab\t line\n 😀 \u{10FFFF} \uFFFD");

    expect((await receive())[0]?.Body).toBe("tab\t line\n 😀 \u{10FFFF} \uFFFD");
    await expect(send("\uFFFE")).rejects.toThrow("Invalid characters");
    await expect(send("\u0000")).rejects.toThrow("Invalid characters");
  });

  it("a message on a standard queue keeps its group, sent alone or in a batch", async () => {
    await send("alone", { MessageGroupId: "tenant-1" });
    await client.send(
      new SendMessageBatchCommand({
        QueueUrl: sqs.queueUrl("events"),
        Entries: [
          { Id: "a", MessageBody: "refused \uFFFF", MessageGroupId: "tenant-2" },
          { Id: "b", MessageBody: "in a batch", MessageGroupId: "tenant-3" },
          { Id: "c", MessageBody: "without a group" },
        ],
      }),
    );

    const groups = (await receive()).map(({ Body: body, Attributes: seen }) => [body, seen?.MessageGroupId]);

    expect(groups).toEqual([
      ["alone", "tenant-1"],
      ["in a batch", "tenant-3"],
      ["without a group", undefined],
    ]);
  });

  it("a message with a group that SQS refuses is refused", async () => {
    await expect(send("x", { MessageGroupId: "with space" })).rejects.toThrow("MessageGroupId");
  });

  it("a message has its message attributes only in receives that ask for them", async () => {
    const attribute = { DataType: "Binary", BinaryValue: new Uint8Array([1, 2, 255]) };
    await client.send(
      new SendMessageCommand({
        QueueUrl: sqs.queueUrl("events"),
        MessageBody: "x",
        MessageAttributes: { raw: attribute, text: { DataType: "String", StringValue: "é" } },
      }),
    );

    const [without] = await receive({ VisibilityTimeout: 0 });
    const [asked] = await receive({ MessageAttributeNames: ["All"] });

    expect(without).not.toHaveProperty("MessageAttributes");
    expect(asked?.MessageAttributes).toEqual({ raw: attribute, text: { DataType: "String", StringValue: "é" } });
  });

  it("a message made visible at once can be received at once", async () => {
    await send("x");
    const [first] = await receive();

    await change(first, 0);

    expect((await receive()).map(({ MessageId: id }) => id)).toEqual([first?.MessageId]);
  });

  it("a message received too often moves to the dead-letter queue with its id, group and send time", async () => {
    await send("poison", { MessageGroupId: "tenant-1" });
    const [first] = await receive({ VisibilityTimeout: 0 });
    await receive({ VisibilityTimeout: 0 });

    const third = await receive();
    const [dead] = await receive({ QueueUrl: sqs.queueUrl("dead") });

    expect(third).toEqual([]);
    expect(dead).toMatchObject({ MessageId: first?.MessageId, Body: "poison" });
    expect(dead?.Attributes).toMatchObject({
      MessageGroupId: "tenant-1",
      SentTimestamp: first?.Attributes?.SentTimestamp,
    });
  });

  it("a message older than the retention is deleted", async () => {
    await send("old");
    await stop();
    const store = new DatabaseSync(join(folder.path, "fauxqs.db"));
    store.prepare("update sqs_messages set sent_timestamp = ?").run(Date.now() - 345_601_000);
    store.close();
    await start([EVENTS, DEAD]);
    await send("new");

    expect((await receive()).map(({ Body: body }) => body)).toEqual(["new"]);
  });
});

describe("a long poll", () => {
  useOneProcess();

  it("a long poll receives no message once its client has disconnected", async () => {
    const disconnect = new AbortController();
    const poll = client.send(new ReceiveMessageCommand({ QueueUrl: sqs.queueUrl("events"), WaitTimeSeconds: 20 }), {
      abortSignal: disconnect.signal,
    });
    const ended = poll.catch((error: Error) => error.name);
    await eventually(
      () => fetch(`${sqs.endpoint}/health`),
      ({ ok }) => ok,
    );
    disconnect.abort();
    expect(await ended).toBe("AbortError");

    await send("for the next one");

    const [message] = await eventually(receive, (messages) => messages.length > 0);
    expect(message?.Attributes?.ApproximateReceiveCount).toBe("1");
  });

  it("a long poll goes on waiting when another poll got the message", async () => {
    const polls = [receive({ WaitTimeSeconds: 1 }), receive({ WaitTimeSeconds: 1 })];
    const started = performance.now();

    await send("for one of them");
    const lengths = (await Promise.all(polls)).map(({ length }) => length);

    expect(new Set(lengths)).toEqual(new Set([0, 1]));
    expect(performance.now() - started).toBeGreaterThan(900);
  });
});

/** The repaired server in this process, with one queue. */
async function repairedApp() {
  const fauxqs = await loadFauxqs();
  repairFauxqs(fauxqs);
  const persistence = new fauxqs.PersistenceManager(folder.path);
  const sqsStore = new fauxqs.SqsStore();
  sqsStore.persistence = persistence;
  const url = "http://127.0.0.1/000000000000/events";
  const queue = sqsStore.createQueue("events", url, arnOf("events"), {});
  const app = fauxqs.buildApp({ logger: false, defaultRegion: "us-east-1", stores: { sqsStore } });
  const ask = async (action: string, body: object) => {
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` };
    const payload = JSON.stringify({ QueueUrl: url, ...body });
    const answer = await (app as unknown as Injected).inject({ method: "POST", url: "/", headers, payload });
    return { status: answer.statusCode, body: answer.json() as { Messages?: object[] } };
  };
  return { persistence, queue, ask, message: (body: string) => fauxqs.SqsStore.createMessage(body) };
}

/** Fastify's call of a server in its own process. */
type Injected = { inject: (request: object) => Promise<{ statusCode: number; json: () => unknown }> };

function onCommit({ db }: Persistence, before: () => void): void {
  const { exec } = db;
  db.exec = (sql) => {
    if (sql === "COMMIT") before();
    exec.call(db, sql);
  };
}

describe("the store", () => {
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  it("the store flushes to disk before it answers", async () => {
    const { PersistenceManager } = await loadFauxqs();
    const persistence = new PersistenceManager(folder.path);

    const settings = ["synchronous", "journal_mode"].flatMap((name) => persistence.db.prepare(`pragma ${name}`).all());

    expect(settings).toEqual([{ synchronous: 2 }, { journal_mode: "wal" }]);
    persistence.close();
  });

  it("the store has one flush for the requests that wait at the same time, and answers none before", async () => {
    const { persistence, ask } = await repairedApp();
    const steps: string[] = [];
    onCommit(persistence, () => void steps.push("commit"));
    const step = async (action: string, body: object) => {
      const answer = await ask(action, body);
      steps.push(action);
      return answer;
    };

    const [, , received] = await Promise.all([
      step("SendMessage", { MessageBody: "1" }),
      step("SendMessageBatch", { Entries: [{ Id: "2", MessageBody: "2" }] }),
      step("ReceiveMessage", { MaxNumberOfMessages: 10 }),
    ]);

    expect(received.body.Messages).toHaveLength(2);
    expect(steps).toHaveLength(4);
    expect(steps[0]).toBe("commit");
    persistence.close();
  });

  it("the store fails each request whose commit fails, and no later one", async () => {
    const { persistence, ask } = await repairedApp();
    let isFull = true;
    onCommit(persistence, () => {
      if (isFull) throw new Error("disk full");
    });
    const send = (text: string) => ask("SendMessage", { MessageBody: text });

    const failed = await Promise.all([send("1"), send("2")]);
    isFull = false;
    const { status } = await send("3");

    expect([...failed.map((each) => each.status), status]).toEqual([500, 500, 200]);
    expect(persistence.db.prepare("select body from sqs_messages").all()).toEqual([{ body: "3" }]);
    persistence.close();
  });

  it("the store commits what is left when it closes", async () => {
    const { persistence, queue, message } = await repairedApp();

    persistence.transaction(() => queue.enqueue(message("last")));
    persistence.close();

    const { PersistenceManager } = await loadFauxqs();
    const reopened = new PersistenceManager(folder.path);
    expect(reopened.db.prepare("select body from sqs_messages").all()).toEqual([{ body: "last" }]);
    reopened.close();
  });

  it("the store never loses a message between its queue and the dead-letter queue", async () => {
    const fauxqs = await loadFauxqs();
    repairFauxqs(fauxqs);
    const persistence = new fauxqs.PersistenceManager(folder.path);
    const store = new fauxqs.SqsStore();
    store.persistence = persistence;
    const policy = JSON.stringify({ deadLetterTargetArn: DEAD.arn, maxReceiveCount: 1 });
    const source = store.createQueue("other", "", arnOf("other"), { RedrivePolicy: policy });
    source.enqueue(fauxqs.SqsStore.createMessage("poison"));
    source.dequeue(1, 0, () => undefined);
    const failing = {
      enqueue: () => {
        throw new Error("killed between the two");
      },
    };

    expect(() => source.dequeue(1, 0, () => failing)).toThrow("killed between the two");

    expect(persistence.db.prepare("select body from sqs_messages").all()).toEqual([{ body: "poison" }]);
    persistence.close();
  });
});
