import { describe, expect, it } from "vitest";
import { readTables } from "../../../localstack/template/read-tables.ts";
import { createResolver } from "../../../localstack/template/resolver.ts";

const ENVIRONMENT = { stackName: "Stack", region: "us-east-1", accountId: "000000000000", sqsEndpoint: "" };

/** A table as CDK 2.276 writes it into the template, with other properties. */
function read(properties: Record<string, unknown> = {}) {
  const Properties = {
    TableName: "audit",
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "tenant", AttributeType: "S" },
      { AttributeName: "number", AttributeType: "N" },
    ],
    KeySchema: [
      { AttributeName: "tenant", KeyType: "HASH" },
      { AttributeName: "number", KeyType: "RANGE" },
    ],
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    DeletionProtectionEnabled: true,
    ...properties,
  };
  const Resources = { Audit: { Type: "AWS::DynamoDB::Table", Properties } };
  const resolver = createResolver({ Resources }, ENVIRONMENT);
  return { tables: readTables(resolver), ref: resolver.ref("Audit", ""), arn: resolver.getAtt("Audit", "Arn", "") };
}

const index = (changes: Record<string, unknown> = {}) => ({
  IndexName: "by-key",
  KeySchema: [{ AttributeName: "key", KeyType: "HASH" }],
  Projection: { ProjectionType: "ALL" },
  ...changes,
});
const withIndex = (changes: Record<string, unknown> = {}) => ({
  AttributeDefinitions: [
    { AttributeName: "tenant", AttributeType: "S" },
    { AttributeName: "number", AttributeType: "N" },
    { AttributeName: "key", AttributeType: "S" },
  ],
  GlobalSecondaryIndexes: [index(changes)],
});

describe("a table of the template", () => {
  it("a table has its name, ARN and key with the types of its attributes", () => {
    const { tables, ref, arn } = read();

    expect(tables).toEqual([
      {
        logicalId: "Audit",
        name: "audit",
        arn: "arn:aws:dynamodb:us-east-1:000000000000:table/audit",
        key: { hash: { name: "tenant", type: "S" }, range: { name: "number", type: "N" } },
        globalIndexes: [],
        expiryAttribute: undefined,
      },
    ]);
    expect([ref, arn]).toEqual(["audit", tables[0]?.arn]);
  });

  it("a table without a name gets the same generated one at every start", () => {
    const names = [read({ TableName: undefined }), read({ TableName: undefined })].map(({ tables }) => tables[0]?.name);

    expect(names[0]).toMatch(/^Stack-Audit-[0-9A-Z]{12}$/);
    expect(names[1]).toBe(names[0]);
  });

  it.each([
    [{ ProjectionType: "ALL" }, "all"],
    [{ ProjectionType: "KEYS_ONLY" }, []],
    [{ ProjectionType: "INCLUDE", NonKeyAttributes: ["a", "b"] }, ["a", "b"]],
  ])("a table has its global indexes, with the attributes of the projection %j", (Projection, attributes) => {
    expect(read(withIndex({ Projection })).tables[0]?.globalIndexes).toEqual([
      { name: "by-key", key: { hash: { name: "key", type: "S" }, range: undefined }, attributes },
    ]);
  });

  it.each([
    [{ AttributeName: "expires", Enabled: true }, "expires"],
    [{ AttributeName: "expires", Enabled: false }, undefined],
  ])("a table with the time to live %j expires by %s", (TimeToLiveSpecification, attribute) => {
    expect(read({ TimeToLiveSpecification }).tables[0]?.expiryAttribute).toBe(attribute);
  });

  it.each([
    [
      "a table that is provisioned",
      { BillingMode: "PROVISIONED" },
      "Audit.Properties.BillingMode: only PAY_PER_REQUEST",
    ],
    [
      "a table without a billing mode",
      { BillingMode: undefined },
      "Audit.Properties.BillingMode: only PAY_PER_REQUEST",
    ],
    ["a table with a stream", { StreamSpecification: {} }, "Audit.Properties.StreamSpecification is not supported"],
    ["a table with local indexes", { LocalSecondaryIndexes: [] }, "LocalSecondaryIndexes is not supported"],
    ["a table with a maximum", { OnDemandThroughput: {} }, "OnDemandThroughput is not supported"],
    ["a key without a definition", { AttributeDefinitions: [] }, "KeySchema: tenant is not in AttributeDefinitions"],
    [
      "a key that begins with a range",
      { KeySchema: [{ AttributeName: "number", KeyType: "RANGE" }] },
      "KeySchema: a key is HASH, or HASH and RANGE, in this order; found RANGE.",
    ],
    ["a table without a key", { KeySchema: [] }, "found nothing"],
    [
      "a type that no key can have",
      { AttributeDefinitions: [{ AttributeName: "tenant", AttributeType: "BOOL" }] },
      "AttributeType: BOOL is none of S, N and B",
    ],
    [
      "a definition that no key uses",
      { AttributeDefinitions: withIndex().AttributeDefinitions },
      "AttributeDefinitions: no key has key",
    ],
    ["an index without a projection", withIndex({ Projection: undefined }), "Projection: it must be ALL"],
    [
      "an index that includes nothing",
      withIndex({ Projection: { ProjectionType: "INCLUDE" } }),
      "GlobalSecondaryIndexes[0].Projection: it must be ALL",
    ],
    [
      "an index of all and more",
      withIndex({ Projection: { ProjectionType: "ALL", NonKeyAttributes: ["a"] } }),
      "Projection: it must be ALL",
    ],
    ["an index with capacity", withIndex({ ProvisionedThroughput: {} }), "ProvisionedThroughput is not supported"],
  ])("%s is an error", (_, properties, message) => {
    expect(() => read(properties)).toThrow(message);
  });
});
