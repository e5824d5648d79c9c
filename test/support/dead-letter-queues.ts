import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Message, SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { startSqs } from "../../localstack/sqs/sqs.ts";
import { runScript, startScript } from "./run-script.ts";
import { type SqsFaultProxy, startSqsFaultProxy } from "./sqs-fault-proxy.ts";
import { arnOf, peekAll, queueCounts, queueModel, receiveAll, release, sqsClient } from "./sqs.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A real SQS without a consumer, for the tests of one file: each opens its own queues, so that they can run at once. */
export async function startDeadLetterQueues() {
  const folder = await temporaryFolder();
  const lanes = Array.from({ length: MAX_LANES }, (_, lane) => lane);
  const sqs = await startSqs({ dataDir: folder.path, queues: lanes.flatMap(queuesOf), region: "us-east-1" });
  const client = sqsClient(sqs.endpoint);
  const proxies: SqsFaultProxy[] = [];
  const free = lanes.values();

  const open = async () => {
    const { value: lane } = free.next();
    const proxy = await startSqsFaultProxy(sqs.endpoint);
    proxies.push(proxy);
    const laneFolder = join(folder.path, `lane-${lane}`);
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
      all: (queue: QueueName = "dead") => peekAll(client, url(queue)),
      /** Receives all messages and keeps them hidden; the returned function makes them visible again. */
      hideAll: async () => {
        const hidden = await receiveAll(client, url("dead"), { visibilityTimeout: 60 });
        return () => release(client, url("dead"), hidden);
      },
      counts: async (queue: QueueName = "dead") => {
        const { visible, hidden } = await queueCounts(client, url(queue));
        return { visible, hidden };
      },
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
      await folder.remove();
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

/** The ids of the events in messages, in order. */
export function idsIn(messages: Message[]): string[] {
  return messages
    .flatMap(({ Body = "" }) => (JSON.parse(Body) as { events: { id: string }[] }).events.map(({ id }) => id))
    .toSorted();
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
