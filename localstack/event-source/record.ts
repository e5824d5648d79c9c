import type { Message } from "@aws-sdk/client-sqs";
import type { SQSMessageAttributes, SQSRecord } from "aws-lambda";

/** A received message as a record of the event: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export function toRecord(message: Message, { queueArn, region }: { queueArn: string; region: string }): SQSRecord {
  return {
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    body: message.Body ?? "",
    attributes: { ...message.Attributes } as unknown as SQSRecord["attributes"],
    messageAttributes: toMessageAttributes(message),
    md5OfBody: message.MD5OfBody ?? "",
    ...(message.MD5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    eventSource: "aws:sqs",
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

function toMessageAttributes({ MessageAttributes: attributes = {} }: Message): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { StringValue: text, BinaryValue: bytes, DataType: dataType = "" }]) => [
      name,
      {
        ...(text === undefined ? {} : { stringValue: text }),
        ...(bytes === undefined ? {} : { binaryValue: Buffer.from(bytes).toString("base64") }),
        stringListValues: [],
        binaryListValues: [],
        dataType: dataType,
      },
    ]),
  );
}
