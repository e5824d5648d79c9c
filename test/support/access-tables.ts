import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { onTestFinished, vi } from "vitest";
import { createDynamoDb } from "../../functions/adapters/dynamodb/client.ts";
import { ACCESS_TABLE, AUDIT_TABLE, USAGE_TABLE } from "../../functions/core/access-tables.ts";
import { startDynamodb } from "./dynamodb.ts";
import { stubAws } from "./local-aws.ts";

const text = (name: string) => ({ name, type: "S" as const });

/** The tables of access in memory, empty, with a client of the functions, until the test ends. */
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
  stubAws({ AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint });
  const client = createDynamoDb();
  let isStopped = false;
  const outage = async () => {
    if (isStopped) return;
    isStopped = true;
    await dynamodb.stop();
  };
  onTestFinished(async () => {
    client.destroy();
    await outage();
    vi.unstubAllEnvs();
  });
  return { client, outage };
}
