import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createDynalite, openStore } from "../../localstack/dynamodb/dynalite.ts";
import { prepareTables } from "../../localstack/dynamodb/prepare-tables.ts";
import { startLocalServer } from "../../localstack/start-local-server.ts";
import type { TableModel } from "../../localstack/template/model.ts";
import { LOCAL_AWS } from "./local-aws.ts";

/** A table with its name and key; further members as the template's table has them. */
export type TestTable = Pick<TableModel, "name" | "key"> & Partial<TableModel>;

export type TestDynamodb = {
  /** For an SDK client, or for AWS_ENDPOINT_URL_DYNAMODB. */
  endpoint: string;
  /** Ends the server with its connections and items. */
  stop: () => Promise<void>;
};

/**
 * DynamoDB in memory, on a free port of the loopback interface, with these tables, for example
 * `[{ name: "keys", key: { hash: { name: "id", type: "S" } } }]`.
 */
export async function startDynamodb(tables: TestTable[]): Promise<TestDynamodb> {
  const store = await openStore(undefined);
  await prepareTables(store, tables.map(tableModel), { now: Date.now() / 1_000, repairIndexes: false });
  const server = createDynalite(store);
  const listening = await startLocalServer(server, { port: 0 });
  return {
    endpoint: `http://127.0.0.1:${listening.port}`,
    stop: async () => {
      server.closeAllConnections();
      await listening.close();
    },
  };
}

/** A table as the template would describe it. */
export function tableModel(table: TestTable): TableModel {
  return {
    logicalId: table.name,
    arn: `arn:aws:dynamodb:us-east-1:000000000000:table/${table.name}`,
    globalIndexes: [],
    expiryAttribute: undefined,
    ...table,
  };
}

/** Repeats no call, so that a test sees every failure. */
export function dynamodbClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({ ...LOCAL_AWS, endpoint, maxAttempts: 1 });
}
