import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { onTestFinished } from "vitest";
import { ACCESS_TABLE, AUDIT_TABLE, USAGE_TABLE } from "../../functions/core/access-tables.ts";
import { dynamodbClient, startDynamodb } from "./dynamodb.ts";

const text = (name: string) => ({ name, type: "S" as const });

/**
 * The tables of access in memory, empty, until the test ends. The client has no time limit of the functions, which a call on
 * a busy machine may exceed.
 */
export async function openAccessTables(): Promise<{ client: DynamoDBClient; outage: () => Promise<void> }> {
  const { listing } = ACCESS_TABLE;
  const dynamodb = await startDynamodb([
    {
      name: "access",
      key: { hash: text(ACCESS_TABLE.partitionKey) },
      globalIndexes: [
        {
          name: listing.name,
          key: { hash: text(listing.partitionKey), range: text(listing.sortKey) },
          attributes: "all",
        },
      ],
      expiryAttribute: ACCESS_TABLE.expires,
    },
    { name: "usage", key: { hash: text(USAGE_TABLE.partitionKey) }, expiryAttribute: USAGE_TABLE.expires },
    {
      name: "audit",
      key: { hash: text(AUDIT_TABLE.partitionKey), range: { name: AUDIT_TABLE.sortKey, type: "N" } },
    },
  ]);
  const client = dynamodbClient(dynamodb.endpoint);
  let isStopped = false;
  const outage = async () => {
    if (isStopped) return;
    isStopped = true;
    await dynamodb.stop();
  };
  onTestFinished(async () => {
    client.destroy();
    await outage();
  });
  return { client, outage };
}
