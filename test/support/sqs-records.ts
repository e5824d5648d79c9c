import type { Context, SQSRecord } from "aws-lambda";

export const SENT_AT = Date.parse("2026-11-21T09:00:00Z");

type Options = {
  receiveCount?: number;
  attributes?: Record<string, string>;
  receiptHandle?: string;
  body?: string;
  group?: string;
  sentAt?: number;
};

/** The record that Lambda makes of a message: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export function record(messageId: string, options: Options = {}): SQSRecord {
  const { receiveCount = 1, attributes = {}, sentAt = SENT_AT } = options;
  return {
    messageId,
    body: options.body ?? "{}",
    receiptHandle: options.receiptHandle ?? `receipt of ${messageId}`,
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: String(sentAt),
      SenderId: "sender",
      ApproximateFirstReceiveTimestamp: String(sentAt),
      MessageGroupId: options.group ?? "tenant-a",
    },
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, stringValue]) => [name, { stringValue, dataType: "String" }]),
    ),
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:events",
    awsRegion: "us-east-1",
  };
}

/** An invocation with the given time left, which Lambda reports in whole milliseconds. */
export function contextOf(remainingSeconds: number): Context {
  return { getRemainingTimeInMillis: () => Math.round(remainingSeconds * 1_000) } as Context;
}
