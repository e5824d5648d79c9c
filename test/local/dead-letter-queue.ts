import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { startSqs } from "../../localstack/sqs/sqs.ts";
import { arnOf, queueModel } from "../contract/local-sqs.ts";
import { type SqsFaultProxy, startSqsFaultProxy } from "../contract/support/sqs-fault-proxy.ts";
import { runScript } from "../client.ts";

/** A real SQS without a consumer, for the tests of one file: each opens its own queues, so that they can run at once. */
export async function startDeadLetterQueues() {
  const folder = await mkdtemp(join(tmpdir(), "sluice-dead-letters-"));
  const lanes = Array.from({ length: MAX_LANES }, (_, lane) => lane);
  const sqs = await startSqs({ dataDir: folder, queues: lanes.flatMap(queuesOf), region: "us-east-1" });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new SQSClient({ endpoint: sqs.endpoint, region: "us-east-1", credentials });
  const proxies: SqsFaultProxy[] = [];
  const free = lanes.values();

  const open = async () => {
    const { value: lane } = free.next();
    const proxy = await startSqsFaultProxy(sqs.endpoint);
    proxies.push(proxy);
    const laneFolder = join(folder, `lane-${lane}`);
    const url = (queue: string) => sqs.queueUrl(`${queue}-${lane}`);
    const urlFor = (queue: string) => proxy.queueUrl(url(queue));
    const addresses = {
      url: "http://127.0.0.1:1",
      queueUrl: urlFor("events"),
      deadLetterQueueUrl: urlFor("dead"),
      awsEndpointUrl: proxy.url,
      region: "us-east-1",
    };
    await mkdir(laneFolder);
    await writeFile(join(laneFolder, "runtime.json"), JSON.stringify(addresses));
    return {
      /** A data folder, for --data-dir. */
      folder: laneFolder,
      addresses,
      /** Between the commands and SQS; calls of the tests themselves bypass it. */
      proxy,
      /** The URL of a queue for a command. */
      urlFor,
      run: (name: Command, ...args: string[]) => runScript(name, [...args, "--data-dir", laneFolder]),
      start: (name: Command, ...args: string[]) => startScript(name, [...args, "--data-dir", laneFolder]),
      put: (...messages: TestMessage[]) => put(client, url("dead"), messages),
      /** All messages that can be received; they are visible again afterwards. */
      all: (queue: QueueName = "dead") => receiveAll(client, url(queue)),
      /** Receives all messages and keeps them hidden; the returned function makes them visible again. */
      hideAll: async () => {
        const hidden = await receivePages(client, url("dead"));
        return () => release(client, url("dead"), hidden);
      },
      counts: (queue: QueueName = "dead") => counts(client, url(queue)),
      file: async (name: string, lines: string[]): Promise<string> => {
        const path = join(laneFolder, name);
        await writeFile(path, lines.map((line) => `${line}\n`).join(""));
        return path;
      },
    };
  };
  return {
    open,
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      client.destroy();
      await sqs.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type DeadLetterQueues = Awaited<ReturnType<typeof startDeadLetterQueues>>;

type Command = "dead-letters" | "replay";
type QueueName = "events" | "dead" | "other";

/** More than a file has tests. */
const MAX_LANES = 40;

const queuesOf = (lane: number) => [
  queueModel({ name: `events-${lane}`, redrive: { deadLetterArn: arnOf(`dead-${lane}`), maxReceiveCount: 30 } }),
  queueModel({ name: `dead-${lane}`, messageRetentionSeconds: 1_209_600 }),
  queueModel({ name: `other-${lane}` }),
];

export type TestMessage = { body: string; attributes?: Record<string, string | number | undefined> };

type EventFields = { id: string; source?: string; type?: string; [name: string]: unknown };

/** An event as an envelope holds it. */
const event = (fields: EventFields) => ({
  source: "/shop",
  type: "com.example.order",
  time: "2026-11-20T10:00:00Z",
  data: {},
  ...fields,
});

/** A dead letter as the consumer sends it; `facts` are its attributes. */
export function deadLetter(events: EventFields[], facts: TestMessage["attributes"] = {}): TestMessage {
  const { tenant = "default", receivedAt = "2026-11-20T10:00:00.000Z" } = facts;
  return {
    body: JSON.stringify({ version: 1, tenant, receivedAt, events: events.map(event) }),
    attributes: { reason: "not_storable", sqlState: "22P05", detail: "no", tenant, receivedAt, attempts: 1, ...facts },
  };
}

/** A message as SQS moves it: without a reason. */
export const movedBySqs = (events: EventFields[]): TestMessage => ({ body: deadLetter(events).body });

async function put(client: SQSClient, QueueUrl: string, messages: TestMessage[]): Promise<void> {
  for (let i = 0; i < messages.length; i += 10) {
    const Entries = messages.slice(i, i + 10).map(({ body, attributes = {} }, index) => ({
      Id: String(index),
      MessageBody: body,
      MessageAttributes: Object.fromEntries(
        Object.entries(attributes).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, { DataType: "String", StringValue: String(value) }]],
        ),
      ),
    }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  }
}

async function receivePages(client: SQSClient, QueueUrl: string): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 60,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
      }),
    );
    if (Messages.length === 0) return all;
    all.push(...Messages);
  }
}

async function receiveAll(client: SQSClient, QueueUrl: string): Promise<Message[]> {
  const all = await receivePages(client, QueueUrl);
  await release(client, QueueUrl, all);
  return all;
}

async function release(client: SQSClient, QueueUrl: string, all: Message[]): Promise<void> {
  for (let i = 0; i < all.length; i += 10) {
    const Entries = all
      .slice(i, i + 10)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
    await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  }
}

async function counts(client: SQSClient, QueueUrl: string): Promise<{ visible: number; hidden: number }> {
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  return {
    visible: Number(Attributes?.ApproximateNumberOfMessages),
    hidden: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
  };
}

/** The ids of the events in messages, in order. */
export function idsIn(messages: Message[]): string[] {
  return messages
    .flatMap(({ Body = "" }) => (JSON.parse(Body) as { events: { id: string }[] }).events.map(({ id }) => id))
    .toSorted();
}

/** Starts a command without waiting for its end, so that a test can stop it. */
export function startScript(name: string, args: string[]) {
  const child = spawn(process.execPath, [`scripts/${name}.ts`, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...output }));
  return { child, output, ended };
}

/** Kills a process; as the `act` of `atCall` it also never passes the call on. */
export function killAndForget(child: { kill: (signal: "SIGKILL") => boolean }): Promise<never> {
  child.kill("SIGKILL");
  return new Promise<never>(() => undefined);
}

/** Runs `act` at the nth call of an action, before the call is passed on. */
export function atCall(proxy: SqsFaultProxy, action: string, nth: number, act: () => unknown): void {
  let count = 0;
  proxy.onCall = async (call) => {
    if (call.action === action && ++count === nth) await act();
  };
}

/** Has another reader hide all messages after a command has counted them and before it receives any. */
export function beforeReceives({ proxy, hideAll }: Awaited<ReturnType<DeadLetterQueues["open"]>>) {
  let hiding: ReturnType<typeof hideAll> | undefined;
  const hidden = () => (hiding ??= hideAll());
  proxy.onCall = async ({ action }) => {
    if (action === "ReceiveMessage") await hidden();
  };
  return { hidden };
}
