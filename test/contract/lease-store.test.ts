import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it, onTestFinished } from "vitest";
import { AccessError } from "../../functions/core/access.ts";
import { createLeaseStore } from "../../functions/adapters/dynamodb/lease-store.ts";
import type { LeaseStore } from "../../functions/core/lease-store.ts";
import { createLimiter } from "../../functions/core/limiter.ts";
import { describeLeaseStore } from "../support/conformance/lease-store.ts";
import { dynamodbClient, startDynamodb } from "../support/dynamodb.ts";
import { LOCAL_AWS } from "../support/local-aws.ts";
import { limitedPrincipal } from "../support/limited-principal.ts";

const TABLE = "usage";

/** A server with an empty table; each call of `open` gives a store with a client of its own. */
async function startTable() {
  const server = await startDynamodb([{ name: TABLE, key: { hash: { name: "pk", type: "S" } } }]);
  onTestFinished(server.stop);
  const open = () => {
    const client = dynamodbClient(server.endpoint);
    onTestFinished(() => client.destroy());
    return { client, store: createLeaseStore({ client, table: TABLE }) };
  };
  return { ...server, open };
}

describeLeaseStore("in DynamoDB", async () => {
  const { open, stop } = await startTable();
  const throttled = async () => (await startAnswering([THROTTLE])).store;
  return { store: open().store, outage: stop, throttled };
});

type Answer = "reset" | { status: number; body: Record<string, unknown> };

const THROTTLE = refusal("ProvisionedThroughputExceededException");

function refusal(name: string, status = 400): Answer {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: "m" } };
}

/** A lease store whose table gives these answers, the last one again and again. */
async function startAnswering(answers: readonly Answer[]) {
  const seen = { calls: 0 };
  const server = createHttpServer((request, response) => {
    request.resume().on("end", () => {
      const answer = answers[Math.min(seen.calls++, answers.length - 1)];
      if (answer === undefined || answer === "reset") return request.socket.destroy();
      response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" });
      return response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new DynamoDBClient({ ...LOCAL_AWS, endpoint: `http://127.0.0.1:${port}` });
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { store: createLeaseStore({ client, table: TABLE }), seen };
}

const RECORD: Answer = { status: 200, body: { Item: { day: { N: "7" }, dayEvents: { N: "8" } } } };

describe("the lease store in DynamoDB", () => {
  it("the item of a subject has the time after which the table may delete it", async () => {
    const { client, store } = (await startTable()).open();

    const to = { fullAt: 5, span: 7 };
    await store.change("limit#tenant#a", { buckets: { events: { kind: "start", now: 1, to } }, expires: 99 }, 5_000);

    const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: { pk: { S: "limit#tenant#a" } } }));
    expect(Item).toEqual({
      pk: { S: "limit#tenant#a" },
      eventsFullAt: { N: "5" },
      eventsSpan: { N: "7" },
      expires: { N: "99" },
    });
  });

  it.each([
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TransactionConflictException",
  ])("a call that was refused with %s is a throttled one, and is not repeated", async (name) => {
    const { store, seen } = await startAnswering([refusal(name), RECORD]);

    await expect(store.read("a", 30_000)).rejects.toMatchObject({ name: "AccessError", isThrottled: true });
    expect(seen.calls).toBe(1);
  });

  it.each<{ name: string; answer: Answer }>([
    { name: "whose connection was closed", answer: "reset" },
    { name: "that the table failed at", answer: refusal("InternalServerError", 500) },
  ])("a call $name is repeated once", async ({ answer }) => {
    const [recovered, failing] = [await startAnswering([answer, RECORD]), await startAnswering([answer])];

    expect(await recovered.store.read("a", 30_000)).toEqual({ day: { day: 7, count: 8 } });
    await expect(failing.store.read("a", 30_000)).rejects.toMatchObject({ name: "AccessError", isThrottled: false });
    expect([recovered.seen.calls, failing.seen.calls]).toEqual([2, 2]);
  });

  it("a call that the table refuses for another reason is no throttled one, and is not repeated", async () => {
    const { store, seen } = await startAnswering([refusal("ResourceNotFoundException"), RECORD]);

    await expect(store.read("a", 30_000)).rejects.toMatchObject({ name: "AccessError", isThrottled: false });
    expect(seen.calls).toBe(1);
  });

  it("a call that gets no answer ends at its time-out", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const client = dynamodbClient(`http://127.0.0.1:${port}`);
    onTestFinished(() => client.destroy());
    const store = createLeaseStore({ client, table: TABLE });

    await expect(store.read("a", 50)).rejects.toThrow(AccessError);
    const change = { buckets: {}, day: { kind: "start", to: { day: 1, count: 1 } }, expires: 9 } as const;
    await expect(store.change("a", change, 50)).rejects.toThrow(AccessError);
  });

  it("five limiters, each with a client of its own, pass what the limit says and no more", async () => {
    const { open } = await startTable();
    let now = Date.parse("2026-11-29T10:00:00Z");
    const failures: unknown[] = [];
    const seeds = [1, 12_345, 678, 91_011, 121_314];
    // On a busy machine a call may take long; the limiter's own time-out is not at issue.
    const patient = ({ read, change }: LeaseStore): LeaseStore => ({
      read: (subject) => read(subject, 30_000),
      change: (subject, to) => change(subject, to, 30_000),
    });
    const limiters = Array.from({ length: 5 }, (_, index) =>
      createLimiter({
        store: patient(open().store),
        clock: () => new Date(now),
        random: () => {
          seeds[index] = ((seeds[index] ?? 1) * 48_271) % 2_147_483_647;
          return seeds[index] / 2_147_483_647;
        },
        onFailure: (error) => failures.push(error),
      }),
    );
    const caller = limitedPrincipal({ tenant: { eventsPerSecond: 1_000 } });
    const passed = [0, 0, 0, 0, 0];

    for (let step = 0; step < 250; step++) {
      // Each process is the first one in its round.
      const order = [0, 1, 2, 3, 4].map((index) => (index + step) % 5);
      await Promise.all(
        order.map(async (index) => {
          const grant = await limiters[index]?.takeEvents(caller, 20);
          passed[index] = (passed[index] ?? 0) + (grant?.granted ?? 20);
        }),
      );
      now += 20;
    }

    const total = passed.reduce((sum, each) => sum + each, 0);
    expect(failures).toEqual([]);
    expect(total).toBeLessThanOrEqual(6_000);
    expect(total).toBeGreaterThanOrEqual(0.9 * 6_000);
    for (const each of passed) expect(each).toBeGreaterThan(total / 5 / 4);
  });
});
