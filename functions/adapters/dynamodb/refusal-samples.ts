import { type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { storedRefusals } from "../../core/refusal-schema.ts";
import type { RefusalSample, RefusalSamples } from "../../core/refusal.ts";
import { STATUS_TABLE } from "../../core/status-table.ts";
import { answered } from "./client.ts";
import { fromItem, type Item } from "./items.ts";
import { createRewritableItems } from "./rewrite-item.ts";

/** The samples of refusals in the table `status`, which an erasure takes away. */
export function createRefusalSamples({ client, table }: { client: DynamoDBClient; table: string }): RefusalSamples {
  const items = createRewritableItems({ client, table });
  const keyOf = (tenant: string, group: string): Item => ({
    [STATUS_TABLE.partitionKey]: { S: STATUS_TABLE.refusalsOf(tenant) },
    [STATUS_TABLE.sortKey]: { S: group },
  });

  return {
    async page(tenant, after) {
      const { Items: found = [], LastEvaluatedKey: last } = await answered(
        client.send(
          new QueryCommand({
            TableName: table,
            ConsistentRead: true,
            KeyConditionExpression: "#pk = :pk",
            ExpressionAttributeNames: { "#pk": STATUS_TABLE.partitionKey },
            ExpressionAttributeValues: { ":pk": { S: STATUS_TABLE.refusalsOf(tenant) } },
            Limit: GROUPS_AT_ONCE,
            ...(after !== undefined && { ExclusiveStartKey: keyOf(tenant, after) }),
          }),
        ),
      );
      const groups = found.flatMap((item) => {
        const group = item[STATUS_TABLE.sortKey]?.S ?? "";
        return group.includes("#") ? [{ group, samples: samplesOf(item) }] : [];
      });
      return { groups, next: last?.[STATUS_TABLE.sortKey]?.S };
    },

    async keep(tenant, group, isKept) {
      let removed = 0;
      await items.rewrite(keyOf(tenant, group), (before) => {
        const samples = samplesOf(before);
        const kept = samples.filter(isKept);
        removed = samples.length - kept.length;
        return before === undefined || removed === 0 ? undefined : { ...before, samples: { S: JSON.stringify(kept) } };
      });
      return removed;
    },
  };
}

/** An item of a group has some 100 KB at most, and an answer of DynamoDB 1 MB. */
const GROUPS_AT_ONCE = 50;

const samplesOf = (item: Item | undefined): RefusalSample[] =>
  fromItem(item, storedRefusals, ["count", "samples", "counted"])?.samples ?? [];
