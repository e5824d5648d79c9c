import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";

const VISIBILITY_SECONDS = 3;
const MESSAGES = 60;

/** Small batches, and messages back soon after the function that had them died. */
let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack({ visibilitySeconds: VISIBILITY_SECONDS, batchMessages: 5, windowSeconds: 0 });
});
afterAll(() => stack?.remove());

/** The body of a queue message with events of these ids. */
const body = (ids: string[]) =>
  JSON.stringify({
    version: 1,
    tenant: "default",
    receivedAt: new Date().toISOString(),
    events: ids.map((id) => ({ id, source: "/faults/drain", type: "t", time: "2026-11-20T10:00:00Z", data: { id } })),
  });

/** Dead letters of the consumer, and every tenth a message as SQS moves it, with two events. Returns the ids of all events. */
async function fill(name: string): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    const isMoved = i % 10 === 0;
    const own = isMoved ? [`${name}-${i}a`, `${name}-${i}b`] : [`${name}-${i}`];
    ids.push(...own);
    await stack.deadLetters.client.send(
      new SendMessageCommand({
        QueueUrl: stack.deadLetters.url,
        MessageBody: body(own),
        ...(!isMoved && {
          MessageAttributes: {
            reason: { DataType: "String", StringValue: "not_storable" },
            replays: { DataType: "String", StringValue: "0" },
            attempts: { DataType: "String", StringValue: "1" },
          },
        }),
      }),
    );
  }
  return ids.toSorted();
}

const recorded = async (name: string) =>
  (
    await stack.ask<{ id: string }>(
      "select event_id as id from dead_letters where starts_with(event_id, $1) order by 1",
      [`${name}-`],
    )
  )
    .map(({ id }) => id)
    .toSorted();

const untilRecorded = async (name: string, ids: readonly string[]) => {
  await eventually(
    () => recorded(name),
    (found) => found.length >= ids.length,
    60_000,
  );
  await eventually(
    async () => (await stack.deadLetters.peek()).filter(({ ReceiptHandle }) => ReceiptHandle),
    ({ length }) => length === 0,
    60_000,
  );
};

describe("drain that is killed", () => {
  it.each(["beforeRecord", "afterRecord", "beforeAnswer"])(
    "drain that is killed %s in every third batch loses no dead letter and doubles none",
    async (point) => {
      let kills = 0;
      stack.failpoints.order((hit) => {
        if (hit.functionName !== "drain" || hit.point !== point || hit.count % 3 !== 0) return "go";
        kills += 1;
        return "kill";
      });

      const ids = await fill(point);
      await untilRecorded(point, ids);
      stack.failpoints.order();

      expect(kills).toBeGreaterThan(0);
      expect(await recorded(point)).toEqual(ids);
    },
  );
});

describe("drain without a database", () => {
  it("drain without a database keeps its messages, and records each once when it is back", async () => {
    stack.dataApiFaults.add({ kind: "error", error: "DatabaseUnavailableException" });
    const ids = await fill("outage");
    await eventually(
      async () =>
        stack.lines.filter((line) => line.includes('"service":"drain"') && line.includes("database_unavailable"))
          .length,
      (count) => count > 3,
      60_000,
    );
    expect(await recorded("outage")).toEqual([]);

    stack.dataApiFaults.clear();

    await untilRecorded("outage", ids);
    expect(await recorded("outage")).toEqual(ids);
  });
});
