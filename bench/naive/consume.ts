import { ExecuteStatementCommand, RDSDataClient, type SqlParameter } from "@aws-sdk/client-rds-data";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";

/**
 * The usual consumer: one insert per record through the Data API, and a partial batch response with the failed records. It
 * handles the records of a batch concurrently, as Powertools' `processPartialResponse` does by default; sequential handling
 * would wait ten times as long.
 * @see https://docs.aws.amazon.com/powertools/typescript/latest/features/batch/
 */
export async function handler({ Records: records }: SQSEvent): Promise<SQSBatchResponse> {
  const outcomes = await Promise.allSettled(records.map(store));
  return {
    batchItemFailures: records
      .filter((_, index) => outcomes[index]?.status === "rejected")
      .map(({ messageId }) => ({ itemIdentifier: messageId })),
  };
}

const client = new RDSDataClient();

const insertEvent = `
  insert into naive_events (id, source, type, subject, time, received_at, data)
  values (:id, :source, :type, :subject, cast(:time as timestamptz), cast(:received_at as timestamptz), cast(:data as jsonb))
  on conflict do nothing
`;

async function store({ body }: SQSRecord): Promise<void> {
  const event = JSON.parse(body) as Record<"id" | "source" | "type" | "time" | "receivedAt", string> & {
    subject?: string;
    data?: unknown;
  };
  await client.send(
    new ExecuteStatementCommand({
      resourceArn: process.env["CLUSTER_ARN"],
      secretArn: process.env["SECRET_ARN"],
      database: process.env["DATABASE_NAME"],
      sql: insertEvent,
      parameters: [
        text("id", event.id),
        text("source", event.source),
        text("type", event.type),
        text("subject", event.subject),
        text("time", event.time),
        text("received_at", event.receivedAt),
        text("data", JSON.stringify(event.data)),
      ],
    }),
  );
}

function text(name: string, value: string | undefined): SqlParameter {
  return { name, value: value === undefined ? { isNull: true } : { stringValue: value } };
}
