import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { AccessError } from "../../core/access.ts";
import { REFUSAL_DAY_GROUPS, REFUSAL_KEPT_DAYS, REFUSAL_WRITE_ATTEMPTS } from "../../core/refusal-limits.ts";
import { storedRefusals } from "../../core/refusal-schema.ts";
import type { RefusalStore, StoredRefusals } from "../../core/refusal.ts";
import { STATUS_TABLE } from "../../core/status-table.ts";
import { answered, isMet } from "./client.ts";
import { fromItem, type Item, toItem } from "./items.ts";

/**
 * Keeps the groups of refusals in the table `status`: one item a group, and one a day with the ids of its groups. An item is read
 * and then written on the condition that it is as it was read.
 */
export function createRefusalStore({ client, table }: { client: DynamoDBClient; table: string }): RefusalStore {
  const get = async (key: Item): Promise<Item | undefined> =>
    (await answered(client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true })))).Item;

  const put = (item: Item, before: Item | undefined): Promise<boolean> =>
    isMet(
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: { ...item, [VERSION]: { S: String(versionOf(before) + 1) } },
          ConditionExpression: before === undefined ? "attribute_not_exists(#version)" : "#version = :version",
          ExpressionAttributeNames: { "#version": VERSION },
          ...(before !== undefined && { ExpressionAttributeValues: { ":version": { S: String(versionOf(before)) } } }),
        }),
      ),
    );

  /** Reads and writes an item until no other writer comes between. Without a change nothing is written. */
  const rewrite = async (
    tenant: string,
    day: string,
    sk: string,
    change: (before: Item | undefined) => Item | undefined,
  ) => {
    const key = keyOf(tenant, sk);
    for (let attempt = 1; attempt <= REFUSAL_WRITE_ATTEMPTS; attempt++) {
      const before = await get(key);
      const after = change(before);
      if (after === undefined || (await put({ ...after, ...key, ...expiryOf(day) }, before))) return;
    }
    throw new AccessError(`A group of refusals had another writer ${REFUSAL_WRITE_ATTEMPTS} times.`);
  };

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

    readAdmitted: async (tenant, day) => idsOf(await get(keyOf(tenant, day))),

    change: ({ tenant, day, id }, change) =>
      rewrite(tenant, day, `${day}#${id}`, (before) => {
        const after = change(toStored(before));
        return after === undefined ? undefined : toItem(after);
      }),

    async readDay(tenant, day) {
      const groups: StoredRefusals[] = [];
      let from: Item | undefined;
      do {
        const { Items: items = [], LastEvaluatedKey: last } = await answered(
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
        for (const item of items) groups.push(...[toStored(item)].filter((each) => each !== undefined));
        from = last;
      } while (from !== undefined);
      return groups;
    },
  };
}

/** Counts the writes of an item. */
const VERSION = "version";

/** The ids of the groups of a day, with blanks between them. */
const GROUPS = "groups";

const versionOf = (item: Item | undefined): number => Number(item?.[VERSION]?.S ?? 0);

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
