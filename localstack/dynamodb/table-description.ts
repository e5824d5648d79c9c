import { randomUUID } from "node:crypto";
import type { KeyAttribute, TableIndex, TableKey, TableModel } from "../template/model.ts";
import type { Index, KeySchema, Table } from "./dynalite.ts";

/**
 * A table as it is in dynalite's store and as `DescribeTable` answers it.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
 */
export function describeTable(model: TableModel, { createdAt }: { createdAt: number }): Table {
  return {
    TableName: model.name,
    TableArn: model.arn,
    TableId: randomUUID(),
    TableStatus: "ACTIVE",
    CreationDateTime: createdAt,
    ItemCount: 0,
    TableSizeBytes: 0,
    KeySchema: keySchema(model.key),
    ...describeIndexes(model),
    BillingModeSummary: { BillingMode: "PAY_PER_REQUEST", LastUpdateToPayPerRequestDateTime: createdAt },
    TableThroughputModeSummary: { TableThroughputMode: "PAY_PER_REQUEST" },
    ProvisionedThroughput: NO_THROUGHPUT,
  };
}

/** The parts of a table's description that a change of its indexes changes. */
export function describeIndexes(model: TableModel): Pick<Table, "AttributeDefinitions" | "GlobalSecondaryIndexes"> {
  const keys = [model.key, ...model.globalIndexes.map(({ key }) => key)].flatMap(attributesOf);
  const types = new Map(keys.map(({ name, type }) => [name, type]));
  return {
    AttributeDefinitions: [...types].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    ...(model.globalIndexes.length > 0 && {
      GlobalSecondaryIndexes: model.globalIndexes.map((index) => describeIndex(model, index)),
    }),
  };
}

function describeIndex(model: TableModel, { name, key, attributes }: TableIndex): Index {
  return {
    IndexName: name,
    IndexArn: `${model.arn}/index/${name}`,
    IndexStatus: "ACTIVE",
    IndexSizeBytes: 0,
    ItemCount: 0,
    KeySchema: keySchema(key),
    Projection: projection(attributes),
    ProvisionedThroughput: NO_THROUGHPUT,
  };
}

/** The attributes of a key, the hash key first. */
export function attributesOf({ hash, range }: TableKey): KeyAttribute[] {
  return range === undefined ? [hash] : [hash, range];
}

function keySchema({ hash, range }: TableKey): KeySchema {
  const schema: KeySchema = [{ AttributeName: hash.name, KeyType: "HASH" }];
  return range === undefined ? schema : [...schema, { AttributeName: range.name, KeyType: "RANGE" }];
}

function projection(attributes: TableIndex["attributes"]): Index["Projection"] {
  if (attributes === "all") return { ProjectionType: "ALL" };
  if (attributes.length === 0) return { ProjectionType: "KEYS_ONLY" };
  return { ProjectionType: "INCLUDE", NonKeyAttributes: attributes };
}

const NO_THROUGHPUT = { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 };
