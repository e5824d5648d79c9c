import { describe, expect, it } from "vitest";
import { countDataApiCall } from "../../../bench/pipeline/count-data-api.ts";
import { countDynamodbCall } from "../../../bench/pipeline/count-dynamodb.ts";
import { countQueueCall, EMPTY_RECEIVE } from "../../../bench/pipeline/count-queue.ts";
import { createEventMaker, requestOf } from "../../../bench/pipeline/events.ts";
import type { Exchange } from "../../../bench/pipeline/front.ts";
import type { Operations } from "../../../bench/pipeline/operations.ts";
import { quantiles } from "../../../cli/quantiles.ts";

const call = (action: string, request: object, response: object = {}): Exchange => ({
  headers: { "x-amz-target": `AmazonSQS.${action}` },
  request: Buffer.from(JSON.stringify(request)),
  response: Buffer.from(JSON.stringify(response)),
});

const counted = (...calls: Exchange[]): Operations["queue"] => {
  const queue: Operations["queue"] = {};
  for (const each of calls) countQueueCall(queue, each);
  return queue;
};

const CHUNK = 64 * 1024;

describe("counting SQS calls", () => {
  it("a batch call is billed by its whole payload, not by its messages", () => {
    const half = { MessageBody: "x".repeat(CHUNK / 2) };
    const queue = counted(
      call("SendMessageBatch", { Entries: [half, half] }),
      call("SendMessageBatch", { Entries: [half, half, { MessageBody: "y" }] }),
    );
    expect(queue["SendMessageBatch"]).toStrictEqual({ calls: 2, chunks: 3, groupedChunks: 0, messages: 5 });
  });

  it("the payload counts bytes, attributes included, without the JSON around them", () => {
    const quotes = { MessageBody: '"'.repeat(CHUNK) };
    const umlauts = { MessageBody: "ü".repeat(CHUNK / 2) };
    const attribute = {
      MessageBody: "x".repeat(CHUNK),
      MessageAttributes: { a: { DataType: "String", StringValue: "b" } },
    };
    const chunks = [quotes, umlauts, attribute].map(
      (entry) => counted(call("SendMessage", entry))["SendMessage"]?.chunks,
    );
    expect(chunks).toStrictEqual([1, 1, 2]);
  });

  it("sends with a message group are counted separately, because they cost more", () => {
    const queue = counted(
      call("SendMessageBatch", { Entries: [{ MessageBody: "x".repeat(CHUNK + 1), MessageGroupId: "t" }] }),
    );
    expect(queue["SendMessageBatch"]).toMatchObject({ chunks: 2, groupedChunks: 2 });
  });

  it("a receive counts by its messages, and an empty receive is counted separately", () => {
    const messages = [{ Body: "x".repeat(CHUNK) }, { Body: "y" }];
    const queue = counted(call("ReceiveMessage", {}, { Messages: messages }), call("ReceiveMessage", {}));
    expect(queue["ReceiveMessage"]).toMatchObject({ calls: 1, chunks: 2, messages: 2 });
    expect(queue[EMPTY_RECEIVE]).toMatchObject({ calls: 1, chunks: 1, messages: 0 });
  });

  it("a batch of deletes counts as one call", () => {
    const queue = counted(call("DeleteMessageBatch", { Entries: [{ Id: "0" }, { Id: "1" }] }));
    expect(queue["DeleteMessageBatch"]).toStrictEqual({ calls: 1, chunks: 1, groupedChunks: 0, messages: 2 });
  });
});

describe("counting Data API calls", () => {
  it("a Data API call counts a unit for each 32 KB of request and response", () => {
    const dataApi = { calls: 0, units: 0 };
    const sizes = [
      [1, 1],
      [32 * 1024 - 1, 1],
      [32 * 1024, 1],
    ];
    for (const [request = 0, response = 0] of sizes)
      countDataApiCall(dataApi, { headers: {}, request: Buffer.alloc(request), response: Buffer.alloc(response) });
    expect(dataApi).toStrictEqual({ calls: 3, units: 4 });
  });
});

describe("counting DynamoDB calls", () => {
  const count = (action: string, request: object = {}) => {
    const dynamodb = { reads: 0, writes: 0 };
    countDynamodbCall(dynamodb, {
      headers: { "x-amz-target": `DynamoDB_20120810.${action}` },
      request: Buffer.from(JSON.stringify(request)),
      response: Buffer.alloc(0),
    });
    return dynamodb;
  };

  it("a strongly consistent read of DynamoDB counts as one, another one as half, and each write as one", () => {
    expect(count("GetItem", { ConsistentRead: true })).toEqual({ reads: 1, writes: 0 });
    expect(count("GetItem")).toEqual({ reads: 0.5, writes: 0 });
    for (const action of ["PutItem", "UpdateItem"]) expect(count(action)).toEqual({ reads: 0, writes: 1 });
    expect(count("DescribeTable")).toEqual({ reads: 0, writes: 0 });
  });
});

describe("the load generator's events", () => {
  it.each([400, 1_024, 8_192, 48 * 1_024])("events of the load generator have exactly %i bytes", (bytes) => {
    const makeEvent = createEventMaker(bytes, "https://bench.example.com/0a1b2c3d");
    const events = Array.from({ length: 50 }, (_, index) => makeEvent(1, index));
    expect(events.map((event) => Buffer.byteLength(event))).toStrictEqual(events.map(() => bytes));
  });

  it("events of the load generator have unique ids that name their request, in the form of a UUIDv7", () => {
    const makeEvent = createEventMaker(512, "https://bench.example.com/0a1b2c3d");
    const ids = [0, 7, 4_000_000_000].flatMap((request) =>
      [0, 999].map((index) => (JSON.parse(makeEvent(request, index)) as { id: string }).id),
    );
    expect(ids.map(requestOf)).toStrictEqual([0, 0, 7, 7, 4_000_000_000, 4_000_000_000]);
    expect(new Set(ids).size).toBe(6);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("the load generator refuses a size below that of an order without a note", () => {
    expect(() => createEventMaker(100, "bench")).toThrow(/at least \d+ bytes, not 100/);
  });
});

describe("quantiles", () => {
  it("quantiles are values of the list, by nearest rank", () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(quantiles(values)).toStrictEqual({ p50: 100, p90: 180, p95: 190, p99: 198, max: 200 });
    expect(quantiles([3])).toStrictEqual({ p50: 3, p90: 3, p95: 3, p99: 3, max: 3 });
    expect(quantiles([]).p50).toBeNaN();
  });
});
