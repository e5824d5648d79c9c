import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  paginateQuery,
} from "@aws-sdk/client-dynamodb";
import type { KeptLedger, LedgerTable } from "../../core/ledger-table.ts";
import { type NumberRanges, readRanges, writeRanges } from "../../core/number-ranges.ts";
import { NOTE_KEPT_MS } from "../../core/producer-notes.ts";
import { INSTALLATION } from "../../core/scopes.ts";
import { STATUS_TABLE } from "../../core/status-table.ts";
import { answered, isMet } from "./client.ts";
import type { Item } from "./items.ts";

/** Keeps the ledger in the table `status`. Reads are strongly consistent: their order is what makes the sums right. */
export function createLedgerTable({ client, table }: { client: DynamoDBClient; table: string }): LedgerTable {
  async function query(partition: string, sortKey?: string): Promise<Item[]> {
    const items: Item[] = [];
    const pages = paginateQuery(
      { client },
      {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: `#pk = :pk${sortKey === undefined ? "" : " AND #sk = :sk"}`,
        ExpressionAttributeNames: {
          "#pk": STATUS_TABLE.partitionKey,
          ...(sortKey !== undefined && { "#sk": STATUS_TABLE.sortKey }),
        },
        ExpressionAttributeValues: {
          ":pk": { S: partition },
          ...(sortKey !== undefined && { ":sk": { S: sortKey } }),
        },
      },
    );
    for await (const { Items: page = [] } of pages) items.push(...page);
    return items;
  }

  return {
    async readNotes(now) {
      const items = await answered(query(STATUS_TABLE.producer));
      return items
        .filter((item) => Number(item["at"]?.N) + NOTE_KEPT_MS > now)
        .map((item) => ({
          producer: textOf(item[STATUS_TABLE.sortKey]),
          at: Number(item["at"]?.N),
          tenants: rangesIn(item["tenants"]),
        }));
    },

    async readLedgers(tenant) {
      const items = await answered(query(STATUS_TABLE.ledger, tenant === INSTALLATION ? undefined : tenant));
      return items.map(toKept);
    },

    async readTakenAt() {
      const [item] = await answered(query(STATUS_TABLE.ledger, INSTALLATION));
      return item?.["takenAt"]?.S;
    },

    async writeLedger(kept, takenAt) {
      const command = new PutItemCommand({
        TableName: table,
        Item: toItem(kept, takenAt),
        ConditionExpression: "attribute_not_exists(takenAt) OR takenAt <= :takenAt",
        ExpressionAttributeValues: { ":takenAt": { S: takenAt } },
      });
      await isMet(client.send(command));
    },

    writeLast(kept, takenAt, before) {
      const command = new PutItemCommand({
        TableName: table,
        Item: toItem(kept, takenAt),
        ...(before === undefined
          ? { ConditionExpression: "attribute_not_exists(takenAt)" }
          : {
              ConditionExpression: "takenAt = :before AND takenAt <= :takenAt",
              ExpressionAttributeValues: { ":before": { S: before }, ":takenAt": { S: takenAt } },
            }),
      });
      return isMet(client.send(command));
    },

    async deleteNote({ producer, at }) {
      const command = new DeleteItemCommand({
        TableName: table,
        Key: { [STATUS_TABLE.partitionKey]: { S: STATUS_TABLE.producer }, [STATUS_TABLE.sortKey]: { S: producer } },
        ConditionExpression: "#at = :at",
        ExpressionAttributeNames: { "#at": "at" },
        ExpressionAttributeValues: { ":at": { N: String(at) } },
      });
      await isMet(client.send(command));
    },
  };
}

function toItem({ ledger: { tenant, ...counts }, arrivals, subscriptions }: KeptLedger, takenAt: string): Item {
  const ranges = [...arrivals].map(([producer, numbers]) => [producer, { S: writeRanges(numbers) }]);
  return {
    [STATUS_TABLE.partitionKey]: { S: STATUS_TABLE.ledger },
    [STATUS_TABLE.sortKey]: { S: tenant },
    takenAt: { S: takenAt },
    counts: { M: toNumbers(counts) },
    subscriptions: { M: toNumbers(subscriptions) },
    arrivals: { M: Object.fromEntries(ranges) },
  };
}

function toKept(item: Item): KeptLedger {
  const count = (group: string, name: string) => Number(item[group]?.M?.[name]?.N ?? 0);
  const [counts, subscriptions] = [
    (name: string) => count("counts", name),
    (name: string) => count("subscriptions", name),
  ];
  return {
    ledger: {
      tenant: textOf(item[STATUS_TABLE.sortKey]),
      arrived: counts("arrived"),
      stored: counts("stored"),
      copies: counts("copies"),
      conflicts: counts("conflicts"),
      open: counts("open"),
      replayed: counts("replayed"),
      discarded: counts("discarded"),
    },
    arrivals: rangesIn(item["arrivals"]),
    subscriptions: {
      active: subscriptions("active"),
      disabled: subscriptions("disabled"),
      pending: subscriptions("pending"),
    },
  };
}

const textOf = (value: AttributeValue | undefined): string => value?.S ?? "";

const toNumbers = (counts: Readonly<Record<string, number>>): Item =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, { N: String(count) }]));

function rangesIn(value: AttributeValue | undefined): ReadonlyMap<string, NumberRanges> {
  return new Map(Object.entries(value?.M ?? {}).map(([name, ranges]) => [name, readRanges(textOf(ranges))]));
}
