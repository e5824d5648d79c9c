import { type DynamoDBClient, paginateQuery, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import * as z from "zod/mini";
import {
  addRefusedParts,
  HISTORY_KEPT_MS,
  HISTORY_MINUTE_MS,
  type HistoryCounts,
  type HistorySample,
  type HistoryTable,
} from "../../core/history.ts";
import { STATUS_TABLE } from "../../core/status-table.ts";
import { answered, isMet } from "./client.ts";
import { fromItem, type Item, toItem } from "./items.ts";
import { createRewritableItems } from "./rewrite-item.ts";

/** Half an hour is an item: with the counts of 30 minutes it is about as large as one unit of writing pays for, 1 KB. */
const BLOCK_MS = 30 * HISTORY_MINUTE_MS;

/**
 * Keeps the history in the table `status`. An item of counts has an attribute for each minute. Reads are eventually consistent, for
 * half the price.
 */
export function createHistoryTable({ client, table }: { client: DynamoDBClient; table: string }): HistoryTable {
  const items = createRewritableItems({ client, table });
  const between = (tenant: string, first: string, last: string) => ({
    TableName: table,
    KeyConditionExpression: "#pk = :pk AND #sk BETWEEN :first AND :last",
    ExpressionAttributeNames: { "#pk": STATUS_TABLE.partitionKey, "#sk": STATUS_TABLE.sortKey },
    ExpressionAttributeValues: {
      ":pk": { S: STATUS_TABLE.historyOf(tenant) },
      ":first": { S: first },
      ":last": { S: last },
    },
  });
  const from = async (tenant: string, first: string, last: string): Promise<Item[]> => {
    const found: Item[] = [];
    for await (const { Items: page = [] } of paginateQuery({ client }, between(tenant, first, last)))
      found.push(...page);
    return found;
  };
  const lastBefore = async (tenant: string, block: number): Promise<Item[]> => {
    const range = between(tenant, COUNTS, countsOf(block - BLOCK_MS));
    const { Items: found = [] } = await client.send(new QueryCommand({ ...range, ScanIndexForward: false, Limit: 1 }));
    return found;
  };

  return {
    async writeSample(tenant, { at, ...sample }, before, takenAt) {
      const block = blockOf(at);
      const command = new UpdateItemCommand({
        TableName: table,
        Key: keyOf(tenant, countsOf(block)),
        UpdateExpression:
          "SET #minute = :sample, #before = if_not_exists(#before, :before), #takenAt = :takenAt, #expires = :expires",
        ConditionExpression: "attribute_not_exists(#takenAt) OR #takenAt <= :takenAt",
        ExpressionAttributeNames: {
          "#minute": String((at - block) / HISTORY_MINUTE_MS),
          "#before": BEFORE,
          "#takenAt": "takenAt",
          "#expires": STATUS_TABLE.expires,
        },
        ExpressionAttributeValues: {
          ":sample": { S: toText(sample) },
          ":before": { S: toText(before) },
          ":takenAt": { N: String(takenAt) },
          ":expires": expiryOf(block),
        },
      });
      await isMet(client.send(command));
    },

    async addRefused(tenant, parts) {
      for (const block of new Set(parts.map(({ at }) => blockOf(at)))) {
        const own = parts.filter(({ at }) => blockOf(at) === block);
        await items.rewrite(keyOf(tenant, refusedOf(block)), (item) => {
          const after = addRefusedParts(toRefused(item), own);
          return after && { ...toItem(after), [STATUS_TABLE.expires]: expiryOf(block) };
        });
      }
    },

    async read(tenant, since) {
      const block = blockOf(since);
      const [earlier, counts, refused] = await answered(
        Promise.all([
          lastBefore(tenant, block),
          from(tenant, countsOf(block), `${COUNTS}~`),
          from(tenant, refusedOf(block), `${REFUSED}~`),
        ]),
      );
      const all = [...earlier, ...counts];
      const before = all[0]?.[BEFORE]?.S;
      return {
        samples: all.flatMap(toSamples),
        before: before === undefined ? undefined : toCounts(before),
        refused: refused.flatMap((item) =>
          Object.entries(toRefused(item).minutes).map(([at, count]) => ({ at: Number(at), count })),
        ),
      };
    },
  };
}

const COUNTS = "counts#";
const REFUSED = "refused#";

/** The counts before the first minute of an item. */
const BEFORE = "before";

const blockOf = (time: number): number => Math.floor(time / BLOCK_MS) * BLOCK_MS;

const textOf = (block: number): string => new Date(block).toISOString().slice(0, "2026-11-30T09:30".length);

const countsOf = (block: number): string => COUNTS + textOf(block);

const refusedOf = (block: number): string => REFUSED + textOf(block);

const keyOf = (tenant: string, sk: string): Item => ({
  [STATUS_TABLE.partitionKey]: { S: STATUS_TABLE.historyOf(tenant) },
  [STATUS_TABLE.sortKey]: { S: sk },
});

const expiryOf = (block: number) => ({ N: String(Math.ceil((block + HISTORY_KEPT_MS) / 1_000)) });

/** Numbers with blanks between them. */
const toText = ({ accepted, stored, open, lagMs }: Omit<HistorySample, "at">): string =>
  [accepted, stored, open, lagMs].filter((each) => each !== undefined).join(" ");

function toCounts(text: string): HistoryCounts & { lagMs?: number | undefined } {
  const [accepted = 0, stored = 0, open = 0, lagMs] = text.split(" ").map(Number);
  return { accepted, stored, open, ...(lagMs !== undefined && { lagMs }) };
}

function toSamples(item: Item): HistorySample[] {
  const block = Date.parse(`${item[STATUS_TABLE.sortKey]?.S?.slice(COUNTS.length)}Z`);
  return Array.from({ length: BLOCK_MS / HISTORY_MINUTE_MS }, (_, minute) => item[String(minute)]?.S).flatMap(
    (text, minute) => (text === undefined ? [] : [{ at: block + minute * HISTORY_MINUTE_MS, ...toCounts(text) }]),
  );
}

const storedRefused = z.object({ minutes: z.record(z.string(), z.number()), counted: z.array(z.string()) });

const toRefused = (item: Item | undefined) =>
  fromItem(item, storedRefused, ["minutes", "counted"]) ?? { minutes: {}, counted: [] };
