import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { USAGE_TABLE } from "../../core/access-tables.ts";
import type { BucketChange, BucketName, DayChange, LeaseStore, LimitRecord } from "../../core/lease-store.ts";
import { createLeaseClient, inTime } from "./client.ts";

/** The attributes of a subject's item, all numbers. */
const BUCKETS: Record<BucketName, { fullAt: string; span: string }> = {
  events: { fullAt: "eventsFullAt", span: "eventsSpan" },
  requests: { fullAt: "requestsFullAt", span: "requestsSpan" },
};
const DAY = "day";
const COUNT = "dayEvents";

/**
 * The limits of all subjects in the usage table: one item per subject, changed by one conditional write. A failed condition
 * returns nothing (`ReturnValuesOnConditionCheckFailure` is not everywhere), so the caller reads.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
 */
export function createLeaseStore(deps: { client: DynamoDBClient; table: string }): LeaseStore {
  const { table } = deps;
  let made: DynamoDBClient | undefined;
  /** Made with the first lease: most processes serve callers without limits, and a client costs a cold start a millisecond. */
  const client = () => (made ??= createLeaseClient(deps.client));
  return {
    async read(subject, timeoutMs) {
      const command = new GetItemCommand({ TableName: table, Key: keyOf(subject), ConsistentRead: true });
      const { Item } = await inTime(timeoutMs, (abortSignal) => client().send(command, { abortSignal }));
      return toRecord(Item);
    },
    async change(subject, { buckets, day, expires }, timeoutMs) {
      const expression = createExpression();
      for (const name of ["events", "requests"] as const) {
        const change = buckets[name];
        if (change !== undefined) changeBucket(expression, BUCKETS[name], change);
      }
      if (day !== undefined) changeDay(expression, day);
      expression.set(USAGE_TABLE.expires, expires);
      const command = new UpdateItemCommand({
        TableName: table,
        Key: keyOf(subject),
        ReturnValues: "ALL_NEW",
        ...expression.build(),
      });
      const answer = await inTime(timeoutMs, async (abortSignal) => {
        try {
          return await client().send(command, { abortSignal });
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return undefined;
          throw error;
        }
      });
      return answer === undefined ? undefined : toRecord(answer.Attributes);
    },
  };
}

const keyOf = (subject: string) => ({ [USAGE_TABLE.partitionKey]: { S: subject } });

type Expression = ReturnType<typeof createExpression>;

/** Collects the parts of an update. `day` is a reserved word, so every name is passed beside the expression. */
function createExpression() {
  const names: Record<string, string> = {};
  const values: Record<string, AttributeValue> = {};
  const sets: string[] = [];
  const conditions: string[] = [];
  const nameOf = (attribute: string) => {
    names[`#${attribute}`] = attribute;
    return `#${attribute}`;
  };
  const valueOf = (number: number) => {
    const name = `:v${Object.keys(values).length}`;
    values[name] = { N: String(number) };
    return name;
  };
  return {
    set: (attribute: string, to: number) => sets.push(`${nameOf(attribute)} = ${valueOf(to)}`),
    add: (attribute: string, by: number) => sets.push(`${nameOf(attribute)} = ${nameOf(attribute)} + ${valueOf(by)}`),
    ifAbsentOrBelow: (attribute: string, bound: number) =>
      conditions.push(`(attribute_not_exists(${nameOf(attribute)}) OR ${nameOf(attribute)} < ${valueOf(bound)})`),
    // Not BETWEEN, which is an error where the bounds are the wrong way round.
    ifAtLeast: (attribute: string, value: number) => conditions.push(`${nameOf(attribute)} >= ${valueOf(value)}`),
    ifEqual: (attribute: string, value: number) => conditions.push(`${nameOf(attribute)} = ${valueOf(value)}`),
    ifAtMost: (attribute: string, value: number) => conditions.push(`${nameOf(attribute)} <= ${valueOf(value)}`),
    build: () => ({
      UpdateExpression: `SET ${sets.join(", ")}`,
      ConditionExpression: conditions.join(" AND "),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    }),
  };
}

function changeBucket(
  expression: Expression,
  { fullAt, span }: { fullAt: string; span: string },
  change: BucketChange,
) {
  switch (change.kind) {
    case "start":
      expression.ifAbsentOrBelow(fullAt, change.now);
      break;
    case "add":
      expression.add(fullAt, change.by);
      expression.ifEqual(span, change.span);
      expression.ifAtLeast(fullAt, change.atLeast);
      expression.ifAtMost(fullAt, change.atMost);
      return;
    case "replace":
      expression.ifEqual(fullAt, change.read.fullAt);
      expression.ifEqual(span, change.read.span);
      break;
  }
  expression.set(fullAt, change.to.fullAt);
  expression.set(span, change.to.span);
}

function changeDay(expression: Expression, change: DayChange) {
  switch (change.kind) {
    case "start":
      expression.ifAbsentOrBelow(DAY, change.to.day);
      expression.set(DAY, change.to.day);
      expression.set(COUNT, change.to.count);
      return;
    case "add":
      expression.ifEqual(DAY, change.day);
      expression.ifAtMost(COUNT, change.atMost);
      expression.add(COUNT, change.by);
  }
}

function toRecord(item: Record<string, AttributeValue> | undefined): LimitRecord {
  const record: LimitRecord = {};
  for (const name of ["events", "requests"] as const) {
    const fullAt = numberOf(item, BUCKETS[name].fullAt);
    const span = numberOf(item, BUCKETS[name].span);
    if (fullAt !== undefined && span !== undefined) record[name] = { fullAt, span };
  }
  const day = numberOf(item, DAY);
  const count = numberOf(item, COUNT);
  if (day !== undefined && count !== undefined) record.day = { day, count };
  return record;
}

function numberOf(item: Record<string, AttributeValue> | undefined, attribute: string): number | undefined {
  const text = item?.[attribute]?.N;
  return text === undefined ? undefined : Number(text);
}
