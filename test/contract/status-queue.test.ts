import { Logger } from "@aws-lambda-powertools/logger";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createQueueDepths } from "../../functions/adapters/sqs/queue-depths.ts";
import { createStatusMessages } from "../../functions/adapters/sqs/status-messages.ts";
import { QUEUES } from "../../functions/core/queue-depths.ts";
import { statusMessage } from "../../functions/core/status-message.ts";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import { queueModel, receive, sqsClient } from "../support/sqs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const logger = new Logger({ serviceName: "test", logLevel: "SILENT" });
const LATER = 900;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let sqs: Sqs;
let client: SQSClient;
beforeAll(async () => {
  folder = await temporaryFolder();
  const queues = QUEUES.map((name) => queueModel({ name }));
  sqs = await startSqs({ dataDir: folder.path, queues, region: "us-east-1" });
  client = sqsClient(sqs.endpoint);
});
afterAll(async () => {
  client.destroy();
  await sqs.stop();
  await folder.remove();
});

const urls = () => ({
  events: sqs.queueUrl("events"),
  deadLetters: sqs.queueUrl("deadLetters"),
  wakeUps: sqs.queueUrl("wakeUps"),
  status: sqs.queueUrl("status"),
});
const soon = () => Date.now() + 10_000;

describe("the queue of status", () => {
  it("a message is delivered after its delay, as it was sent, and the depths of all queues say where it is", async () => {
    const messages = createStatusMessages({ client, queueUrl: urls().status, logger });
    const depths = createQueueDepths({ client, urls: urls() });
    const message = { kind: "ledger", due: 1_764_494_402_000 } as const;

    expect(await messages.send(message, 0, soon())).toBe(true);
    expect(await messages.send(message, LATER, soon())).toBe(true);
    const [received] = await receive(client, urls().status);
    expect(await messages.send(message, 0, soon())).toBe(true);

    expect(statusMessage.parse(JSON.parse(received?.Body ?? ""))).toEqual(message);
    const none = { visible: 0, inFlight: 0, delayed: 0 };
    expect(await depths.read(soon())).toEqual({
      events: none,
      deadLetters: none,
      wakeUps: none,
      status: { visible: 1, inFlight: 1, delayed: 1 },
    });
  });

  it("a queue that does not answer in time confirms no message, and has no depth", async () => {
    const nowhere = { ...urls(), wakeUps: `${sqs.endpoint}/000000000000/missing` };

    await expect(createQueueDepths({ client, urls: nowhere }).read(soon())).rejects.toThrow(/queue/i);
    const messages = createStatusMessages({ client, queueUrl: nowhere.wakeUps, logger });
    expect(await messages.send({ kind: "ledger", due: 1 }, 0, Date.now() + 100)).toBe(false);
  });
});
