import { type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { REFUSAL_DAY_GROUPS, REFUSAL_KEPT_DAYS } from "../../core/refusal-limits.ts";
import { storedRefusals } from "../../core/refusal-schema.ts";
import type { RefusalStore, StoredRefusals } from "../../core/refusal.ts";
import { STATUS_TABLE } from "../../core/status-table.ts";
import { answered } from "./client.ts";
import { fromItem, type Item, toItem } from "./items.ts";
import { createRewritableItems } from "./rewrite-item.ts";

/**
 * Keeps the groups of refusals in the table `status`: one item a group, and one a day with the ids of its groups.
 */
export function createRefusalStore({ client, table }: { client: DynamoDBClient; table: string }): RefusalStore {
  const items = createRewritableItems({ client, table });
  const rewrite = (tenant: string, day: string, sk: string, change: (before: Item | undefined) => Item | undefined) =>
    items.rewrite(keyOf(tenant, sk), (before) => {
      const after = change(before);
      return after && { ...after, ...expiryOf(day) };
    });

  return {
    async admit(tenant, day, ids) {
      let admitted: ReadonlySet<string> = new Set();
      await rewrite(tenant, day, day, (before) => {
        const known = idsOf(before);
        const others = ids.filter((id) => !known.includes(id)).slice(0, REFUSAL_DAY_GROUPS - known.length);
        admitted = new Set([...known, ...others]);
        return others.length === 0 ? undefined : { [GROUPS]: { S: [...known, ...others].join(" ") } };
      });
      return new Set(ids.filter((id) => admitted.has(id)));
    },

    readAdmitted: async (tenant, day) => idsOf(await items.read(keyOf(tenant, day))),

    change: ({ tenant, day, id }, change) =>
      rewrite(tenant, day, `${day}#${id}`, (before) => {
        const after = change(toStored(before));
        return after === undefined ? undefined : toItem(after);
      }),

    async readDay(tenant, day) {
      const groups: StoredRefusals[] = [];
      let from: Item | undefined;
      do {
        const { Items: found = [], LastEvaluatedKey: last } = await answered(
          client.send(
            new QueryCommand({
              TableName: table,
              KeyConditionExpression: "#pk = :pk AND begins_with(#sk, :day)",
              ExpressionAttributeNames: { "#pk": STATUS_TABLE.partitionKey, "#sk": STATUS_TABLE.sortKey },
              ExpressionAttributeValues: {
                ":pk": { S: STATUS_TABLE.refusalsOf(tenant) },
                ":day": { S: `${day}#` },
              },
              ...(from !== undefined && { ExclusiveStartKey: from }),
            }),
          ),
        );
        for (const item of found) groups.push(...[toStored(item)].filter((each) => each !== undefined));
        from = last;
      } while (from !== undefined);
      return groups;
    },
  };
}

/** The ids of the groups of a day, with blanks between them. */
const GROUPS = "groups";

const idsOf = (item: Item | undefined): string[] => item?.[GROUPS]?.S?.split(" ") ?? [];

const keyOf = (tenant: string, sk: string): Item => ({
  [STATUS_TABLE.partitionKey]: { S: STATUS_TABLE.refusalsOf(tenant) },
  [STATUS_TABLE.sortKey]: { S: sk },
});

const DAY_SECONDS = 86_400;

const expiryOf = (day: string): Item => ({
  [STATUS_TABLE.expires]: { N: String(Date.parse(day) / 1_000 + (REFUSAL_KEPT_DAYS + 1) * DAY_SECONDS) },
});

const toStored = (item: Item | undefined) => fromItem(item, storedRefusals, ["count", "samples", "counted"]);
