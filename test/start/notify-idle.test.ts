import { setTimeout as delay } from "node:timers/promises";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { call, post } from "../support/http.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { queueDepth, sqsClient } from "../support/sqs.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";

const QUIET_MS = 15_000;

let runtime: TestRuntime;
let receiver: WebhookReceiver;
beforeAll(async () => {
  runtime = await startTestRuntime();
  receiver = await startWebhookReceiver();
});
afterAll(async () => {
  await receiver?.stop();
  await runtime?.remove();
});

/** The last time at which a session of the functions began or ended a statement. */
const lastAsked = async () => {
  const [row] = await runtime.query(
    "select max(state_change)::text as at from pg_stat_activity where usename like 'sluice\\_%'",
  );
  return row?.["at"];
};

describe("subscriptions with nothing to deliver", () => {
  it("with nothing to deliver the database is not asked, and nothing is in a queue or a schedule that would ask it within the hour", async () => {
    const { url } = runtime.addresses;
    const sink = { type: "webhook", url: receiver.url };
    await call(`${url}/subscriptions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "idle", sink }),
    });
    await post(url, { id: "1", source: "/idle", type: "com.example.idle", data: {} });
    await eventually(
      () => receiver.confirmed(),
      (ids) => ids.includes("1"),
    );
    const client = sqsClient(new URL(runtime.addresses.queueUrl).origin);
    try {
      // Visible, hidden and delayed messages of every queue: only one of them could wake a worker.
      const depth = async () => {
        const { QueueUrls: queues = [] } = await client.send(new ListQueuesCommand({}));
        const depths = await Promise.all(queues.map((queue) => queueDepth(client, queue)));
        return depths.reduce((sum, each) => sum + each, 0);
      };
      // The snapshot of the ledger is taken when the minute is over.
      await eventually(depth, (messages) => messages === 0, 180_000);
      await delay(1_000);
      const before = await lastAsked();

      const seen = new Set<unknown>();
      for (const end = Date.now() + QUIET_MS; Date.now() < end; await delay(500)) seen.add(await lastAsked());

      // A session that nobody uses ends after a while; one that is used says when.
      expect(before).toEqual(expect.any(String));
      expect([...seen].filter((at) => at !== null && at !== before)).toEqual([]);
      expect(await depth()).toBe(0);
    } finally {
      client.destroy();
    }
  });
});
