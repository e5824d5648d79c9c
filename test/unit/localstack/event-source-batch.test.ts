import type { Message } from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { createBatch, MAXIMUM_PAYLOAD_BYTES } from "../../../localstack/event-source/batch.ts";
import { toRecord } from "../../../localstack/event-source/record.ts";

const SOURCE = { queueArn: "arn:aws:sqs:us-east-1:000000000000:events", region: "us-east-1" };

function message(changes: Partial<Message> = {}): Message {
  return {
    MessageId: "id",
    ReceiptHandle: "handle",
    Body: "{}",
    MD5OfBody: "md5",
    Attributes: { ApproximateReceiveCount: "1", SentTimestamp: "1700000000000", SenderId: "sender" },
    ...changes,
  };
}

describe("a record", () => {
  it("a record has the shape Lambda gives it", () => {
    const given = message({
      Attributes: { ApproximateReceiveCount: "2", MessageGroupId: "tenant-1" },
      MD5OfMessageAttributes: "md5 of attributes",
      MessageAttributes: {
        text: { DataType: "String", StringValue: "é" },
        raw: { DataType: "Binary", BinaryValue: new Uint8Array([1, 2, 255]) },
      },
    });

    expect(toRecord(given, SOURCE)).toEqual({
      messageId: "id",
      receiptHandle: "handle",
      body: "{}",
      attributes: { ApproximateReceiveCount: "2", MessageGroupId: "tenant-1" },
      messageAttributes: {
        text: { stringValue: "é", stringListValues: [], binaryListValues: [], dataType: "String" },
        raw: { binaryValue: "AQL/", stringListValues: [], binaryListValues: [], dataType: "Binary" },
      },
      md5OfBody: "md5",
      md5OfMessageAttributes: "md5 of attributes",
      eventSource: "aws:sqs",
      eventSourceARN: SOURCE.queueArn,
      awsRegion: "us-east-1",
    });
  });

  it("a record has no checksum of attributes where there are none", () => {
    expect(toRecord(message(), SOURCE)).toMatchObject({ messageAttributes: {} });
    expect(toRecord(message(), SOURCE)).not.toHaveProperty("md5OfMessageAttributes");
  });
});

describe("a batch", () => {
  const newBatch = (size: number) => createBatch(size, (given) => toRecord(given, SOURCE));

  it("a batch is full at its size", () => {
    const batch = newBatch(2);
    batch.add(message(), 0);
    const before = batch.isFull();
    batch.add(message(), 0);

    expect([before, batch.isFull(), batch.room()]).toEqual([false, true, 0]);
  });

  it("a batch starts when its first message comes", () => {
    const batch = newBatch(10);
    const before = batch.startedAt;
    batch.add(message(), 1000);
    batch.add(message(), 2000);

    expect([before, batch.startedAt]).toEqual([undefined, 1000]);
  });

  it("a batch makes the payload of an SQS event, in order", () => {
    const batch = newBatch(10);
    for (const id of ["a", "b"]) batch.add(message({ MessageId: id }), 0);

    const { Records: records } = JSON.parse(batch.payload()) as SQSEvent;

    expect(records).toEqual(["a", "b"].map((id) => toRecord(message({ MessageId: id }), SOURCE)));
  });

  it("a batch takes messages up to 6 MB of payload, and not one byte more", () => {
    const others = newBatch(100);
    for (let index = 0; index < 5; index += 1) others.add(message({ Body: "é".repeat(524_288) }), 0);
    const overhead = Buffer.byteLength(JSON.stringify(toRecord(message({ Body: "" }), SOURCE))) + 1;
    const fits = MAXIMUM_PAYLOAD_BYTES - Buffer.byteLength(others.payload()) - overhead;

    const tooLarge = others.add(message({ Body: "x".repeat(fits + 1) }), 0);
    const justRight = others.add(message({ Body: "x".repeat(fits) }), 0);

    expect([tooLarge, justRight]).toEqual([false, true]);
    expect(Buffer.byteLength(others.payload())).toBe(MAXIMUM_PAYLOAD_BYTES);
  });
});
