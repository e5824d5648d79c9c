import { randomUUID } from "node:crypto";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually, get, post, runScript, startTestRuntime, type TestRuntime } from "./support.ts";

let runtime: TestRuntime;
let sqs: SQSClient;
beforeAll(async () => {
  runtime = await startTestRuntime();
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  sqs = new SQSClient({ endpoint: runtime.addresses.awsEndpointUrl, region: "us-east-1", credentials });
});
afterAll(async () => {
  sqs?.destroy();
  await runtime?.remove();
});
afterEach(() => runtime.dataApiFaults.clear());

const event = (id: string, data: unknown = {}) => ({ id, source: "/faults", type: "com.example.fault", data });
const isStored = (id: string) =>
  eventually(
    () => get(`${runtime.addresses.url}/events/${id}`),
    ({ status }) => status === 200,
    30_000,
  );

async function count(queueUrl: string): Promise<number> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
  );
  return names.reduce((sum, name) => sum + Number(Attributes?.[name]), 0);
}
const deadLetters = () => count(runtime.addresses.deadLetterQueueUrl);

describe("an event that the database refuses", () => {
  it("ends in the dead-letter queue alone, with its reason, and is stored by a replay once the cause is gone", async () => {
    const mark = `poison-${randomUUID()}`;
    const poison = randomUUID();
    const ids = Array.from({ length: 9 }, () => randomUUID());
    runtime.dataApiFaults.set([{ kind: "refuse", text: mark, sqlState: "22P05" }]);

    const answer = await post(runtime.addresses.url, [...ids.map((id) => event(id)), event(poison, { mark })]);

    expect(answer.status).toBe(202);
    for (const id of ids) await isStored(id);
    await eventually(deadLetters, (letters) => letters === 1);
    expect(await get(`${runtime.addresses.url}/events/${poison}`)).toMatchObject({ status: 404 });

    const listed = await runScript("replay", ["--dry-run", "--data-dir", runtime.dataDir]);
    expect(listed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`com.example.fault /faults ${poison} | not_storable 22P05`),
    });
    expect(listed.stdout).toContain("1 of 1 event would be replayed, from 1 dead letter");

    runtime.dataApiFaults.clear();
    expect(await runScript("replay", ["--type", "com.example.other", "--data-dir", runtime.dataDir])).toMatchObject({
      code: 0,
      stdout: "0 events replayed\n",
    });
    expect(await runScript("replay", ["--reason", "not_storable", "--data-dir", runtime.dataDir])).toMatchObject({
      code: 0,
      stdout: "1 event replayed\n",
    });
    await isStored(poison);
    expect(await deadLetters()).toBe(0);
  });

  it("comes back with its replay count raised while the cause is still there", async () => {
    const mark = `poison-${randomUUID()}`;
    runtime.dataApiFaults.set([{ kind: "refuse", text: mark, sqlState: "22003" }]);
    const poison = randomUUID();
    await post(runtime.addresses.url, event(poison, { mark }));
    await eventually(deadLetters, (letters) => letters === 1);

    expect(await runScript("replay", ["--data-dir", runtime.dataDir])).toMatchObject({
      code: 0,
      // It may come back while the command still looks for letters.
      stdout: expect.stringMatching(/^1 event replayed\n/),
    });
    const [letter] = await eventually(
      async () =>
        (
          await sqs.send(
            new ReceiveMessageCommand({
              QueueUrl: runtime.addresses.deadLetterQueueUrl,
              MessageAttributeNames: ["All"],
              VisibilityTimeout: 0,
            }),
          )
        ).Messages ?? [],
      (messages) => messages.length === 1,
    );

    expect(letter?.MessageAttributes).toMatchObject({
      reason: { StringValue: "not_storable" },
      sqlState: { StringValue: "22003" },
      tenant: { StringValue: "default" },
      type: { StringValue: "com.example.fault" },
      eventId: { StringValue: poison },
      replays: { StringValue: "1" },
    });
    runtime.dataApiFaults.clear();
    await runScript("replay", ["--data-dir", runtime.dataDir]);
    await isStored(poison);
  });
});

describe("a message that is no envelope", () => {
  it("is parked whole beside its reason and keeps nobody waiting", async () => {
    const body = `not an envelope ${randomUUID()}`;
    const id = randomUUID();

    await sqs.send(
      new SendMessageCommand({ QueueUrl: runtime.addresses.queueUrl, MessageBody: body, MessageGroupId: "default" }),
    );
    await post(runtime.addresses.url, event(id));

    await isStored(id);
    await eventually(deadLetters, (letters) => letters === 1);
    const listed = await runScript("replay", ["--dry-run", "--data-dir", runtime.dataDir]);
    expect(listed.stdout).toMatch(/^unreadable message [0-9a-f-]{36} \| unreadable_message/);
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: runtime.addresses.deadLetterQueueUrl, VisibilityTimeout: 0 }),
    );
    expect(Messages?.[0]?.Body).toBe(body);
  });
});

describe("an outage of the database", () => {
  it("stops no 202, dead-letters nothing, and everything is stored once it is over", async () => {
    const before = await deadLetters();
    const ids = Array.from({ length: 50 }, () => randomUUID());
    await runtime.postgres.stop("immediate");

    for (const id of ids) expect((await post(runtime.addresses.url, event(id))).status).toBe(202);
    // Long enough that failed messages go back to the queue as new ones.
    await eventually(
      async () => runtime.lines.filter((line) => /"renewedMessages":[1-9].*"verdict":"retry"/.test(line)).length,
      (renewals) => renewals > 0,
      30_000,
    );
    expect(await get(`${runtime.addresses.url}/events/${ids[0]}`)).toMatchObject({
      status: 503,
      body: { code: "database_unavailable" },
    });

    await runtime.postgres.start();
    for (const id of ids) await isStored(id);
    await eventually(
      () => count(runtime.addresses.queueUrl),
      (messages) => messages === 0,
    );
    expect(await deadLetters()).toBe(before);
  });

  it("stores each event once when answers are lost after the commit", async () => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    runtime.dataApiFaults.set([
      { kind: "dropAfter", calls: 2 },
      { kind: "errorAfter", error: "DatabaseUnavailableException", calls: 1 },
    ]);

    await post(
      runtime.addresses.url,
      ids.map((id) => event(id)),
    );

    for (const id of ids) await isStored(id);
    await eventually(
      () => count(runtime.addresses.queueUrl),
      (messages) => messages === 0,
      30_000,
    );
    const rows = await runtime.query(
      `select id, count(*)::int as copies from events where source = '/faults' group by id having count(*) > 1`,
    );
    expect(rows).toEqual([]);
  });

  it("waits for a database that resumes from its pause", async () => {
    const id = randomUUID();
    runtime.dataApiFaults.set([{ kind: "error", error: "DatabaseResumingException", forMilliseconds: 3_000 }]);

    await post(runtime.addresses.url, event(id));

    await isStored(id);
    const [row] = await runtime.query(
      `select extract(epoch from stored_at - received_at)::float as seconds from events where id = '${id}'`,
    );
    expect(row?.["seconds"]).toBeGreaterThan(2);
    expect(row?.["seconds"]).toBeLessThan(8);
  });
});
