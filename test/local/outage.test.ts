import { randomUUID } from "node:crypto";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { get, post } from "../support/http.ts";
import { queueDepth, sqsClient } from "../support/sqs.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

let runtime: TestRuntime;
let sqs: SQSClient;
beforeAll(async () => {
  runtime = await startTestRuntime();
  sqs = sqsClient(runtime.addresses.awsEndpointUrl);
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
  );

const count = (queueUrl: string) => queueDepth(sqs, queueUrl);
const deadLetters = () => count(runtime.addresses.deadLetterQueueUrl);

describe("an outage of the database", () => {
  it("stops no 202, dead-letters nothing, and everything is stored once it is over", async () => {
    const before = await deadLetters();
    const ids = Array.from({ length: 50 }, () => randomUUID());
    await runtime.postgres.stop("immediate");

    for (const id of ids) expect((await post(runtime.addresses.url, event(id))).status).toBe(202);
    // Long enough that failed messages go back to the queue as new ones.
    await eventually(
      async () => runtime.lines.filter((line) => /"requeuedMessages":[1-9].*"disposition":"retry"/.test(line)).length,
      (renewals) => renewals > 0,
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
    expect(row?.["seconds"]).toBeLessThan(60);
  });
});
