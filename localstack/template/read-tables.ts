import type { KeyAttribute, TableIndex, TableKey, TableModel } from "./model.ts";
import { type Properties, propertiesOf, type Shape } from "./properties.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/**
 * Backups, encryption, tags and policies mean nothing here. Streams, capacity limits, imports and local indexes are in no
 * list, so they stop the start.
 * docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-table.html
 */
const TABLE: Shape = {
  used: [
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "TableName",
    "TimeToLiveSpecification",
  ],
  inert: [
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "PointInTimeRecoverySpecification",
    "ResourcePolicy",
    "SSESpecification",
    "TableClass",
    "Tags",
  ],
};
const ATTRIBUTE: Shape = { used: ["AttributeName", "AttributeType"], inert: [] };
const KEY: Shape = { used: ["AttributeName", "KeyType"], inert: [] };
const INDEX: Shape = { used: ["IndexName", "KeySchema", "Projection"], inert: ["ContributorInsightsSpecification"] };
const PROJECTION: Shape = { used: ["NonKeyAttributes", "ProjectionType"], inert: [] };
const TIME_TO_LIVE: Shape = { used: ["AttributeName", "Enabled"], inert: [] };

export function readTables(resolver: Resolver): TableModel[] {
  return resolver.idsOf("AWS::DynamoDB::Table").map((logicalId) => readTable(resolver, logicalId));
}

function readTable(resolver: Resolver, logicalId: string): TableModel {
  const properties = propertiesOf(resolver, logicalId, TABLE);
  if (properties.optionalText("BillingMode") !== "PAY_PER_REQUEST") {
    throw new TemplateError(
      `${properties.path}.BillingMode: only PAY_PER_REQUEST runs locally: a provisioned table would throttle.`,
    );
  }
  const definitions = properties.objects("AttributeDefinitions", ATTRIBUTE);
  const types = new Map(definitions.map((attribute) => [attribute.text("AttributeName"), readType(attribute)]));
  const model: TableModel = {
    logicalId,
    name: String(resolver.ref(logicalId, logicalId)),
    arn: String(resolver.getAtt(logicalId, "Arn", logicalId)),
    key: readKey(properties, types),
    globalIndexes: properties.objects("GlobalSecondaryIndexes", INDEX).map((index) => readIndex(index, types)),
    expiryAttribute: readExpiry(properties),
  };
  refuseUnusedAttributes(properties, types, model);
  return model;
}

function readType(attribute: Properties): KeyAttribute["type"] {
  const type = attribute.text("AttributeType");
  if (type === "S" || type === "N" || type === "B") return type;
  throw new TemplateError(`${attribute.path}.AttributeType: ${type} is none of S, N and B.`);
}

function readKey(properties: Properties, types: Map<string, KeyAttribute["type"]>): TableKey {
  const path = `${properties.path}.KeySchema`;
  const attributes = properties.objects("KeySchema", KEY).map((attribute) => {
    const name = attribute.text("AttributeName");
    const type = types.get(name);
    if (type === undefined) throw new TemplateError(`${path}: ${name} is not in AttributeDefinitions.`);
    return { kind: attribute.text("KeyType"), name, type };
  });
  const [hash, range] = attributes;
  const kinds = attributes.map(({ kind }) => kind).join(", ");
  if (hash === undefined || (kinds !== "HASH" && kinds !== "HASH, RANGE")) {
    throw new TemplateError(`${path}: a key is HASH, or HASH and RANGE, in this order; found ${kinds || "nothing"}.`);
  }
  const { name, type } = hash;
  return { hash: { name, type }, range: range && { name: range.name, type: range.type } };
}

function readIndex(index: Properties, types: Map<string, KeyAttribute["type"]>): TableIndex {
  return { name: index.text("IndexName"), key: readKey(index, types), attributes: readProjection(index) };
}

function readProjection(index: Properties): TableIndex["attributes"] {
  const projection = index.object("Projection", PROJECTION);
  const type = projection?.text("ProjectionType");
  const others = projection?.texts("NonKeyAttributes") ?? [];
  if (type === "ALL" && others.length === 0) return "all";
  if (type === "KEYS_ONLY" && others.length === 0) return [];
  if (type === "INCLUDE" && others.length > 0) return others;
  throw new TemplateError(
    `${index.path}.Projection: it must be ALL, KEYS_ONLY, or INCLUDE with NonKeyAttributes, which the others do not have.`,
  );
}

function readExpiry(properties: Properties): string | undefined {
  const timeToLive = properties.object("TimeToLiveSpecification", TIME_TO_LIVE);
  return timeToLive?.flag("Enabled", false) ? timeToLive.text("AttributeName") : undefined;
}

/** DynamoDB refuses a table with a definition that no key uses. */
function refuseUnusedAttributes(properties: Properties, types: Map<string, unknown>, model: TableModel): void {
  const keys = [model.key, ...model.globalIndexes.map(({ key }) => key)];
  const used = new Set(keys.flatMap(({ hash, range }) => [hash.name, range?.name]));
  const unused = [...types.keys()].filter((name) => !used.has(name));
  if (unused.length === 0) return;
  throw new TemplateError(`${properties.path}.AttributeDefinitions: no key has ${unused.join(", ")}. Remove it.`);
}
