import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { onTestFinished } from "vitest";
import { STATUS_TABLE } from "../../functions/core/status-table.ts";
import { dynamodbClient, startDynamodb } from "./dynamodb.ts";

/** The table `status` in memory, empty, until the test ends. The client has no time limit of the functions. */
export async function openStatusTable(): Promise<{
  client: DynamoDBClient;
  table: string;
  stop: () => Promise<void>;
}> {
  const text = (name: string) => ({ name, type: "S" as const });
  const dynamodb = await startDynamodb([
    {
      name: "status",
      key: { hash: text(STATUS_TABLE.partitionKey), range: text(STATUS_TABLE.sortKey) },
      expiryAttribute: STATUS_TABLE.expires,
    },
  ]);
  const client = dynamodbClient(dynamodb.endpoint);
  onTestFinished(async () => {
    client.destroy();
    await dynamodb.stop();
  });
  return { client, table: "status", stop: dynamodb.stop };
}
