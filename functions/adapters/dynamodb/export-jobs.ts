import { randomUUID } from "node:crypto";
import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { type ExportJob, exportJob, type ExportJobs, type ExportStart, exportStart } from "../../core/export-job.ts";
import { EXPORT_JOB_KEPT_DAYS } from "../../core/export-limits.ts";
import { IDEMPOTENCY_HOURS } from "../../core/idempotency.ts";
import { JOBS_TABLE } from "../../core/jobs-table.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { answered, isMet } from "./client.ts";
import { fromItem, type Item, toItem } from "./items.ts";

/** Keeps the jobs of exports in the table `jobs`, each in one item, which changes by conditional writes only. */
export function createExportJobs({ client, table }: { client: DynamoDBClient; table: string }): ExportJobs {
  const get = async (tenant: string, id: string): Promise<Item | undefined> => {
    const key = { [JOBS_TABLE.partitionKey]: { S: tenant }, [JOBS_TABLE.sortKey]: { S: id } };
    const { Item: item } = await answered(
      client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true })),
    );
    return item;
  };

  /** Writes an item on a condition. The SDK repeats a call whose answer was lost, so the item may be its own already. */
  const put = async (job: ExportJob, condition: string, values?: Item): Promise<boolean> => {
    const writer = randomUUID();
    const item = { ...toItem({ ...job, writer }), [JOBS_TABLE.expires]: { N: String(expiryOf(job)) } };
    const command = new PutItemCommand({
      TableName: table,
      Item: item,
      ConditionExpression: condition,
      ...(values !== undefined && { ExpressionAttributeNames: { "#version": "version" } }),
      ExpressionAttributeValues: values,
    });
    if (await isMet(client.send(command))) return true;
    return (await get(job.tenant, job.id))?.["writer"]?.S === writer;
  };

  return {
    create: (job) => put(job, "attribute_not_exists(id)"),

    read: async (tenant, id) => toJob(await get(tenant, id)),

    async replace(job) {
      const next = { ...job, version: job.version + 1 };
      FAILPOINT: await failpoint("beforeCommit");
      const isWritten = await put(next, "#version = :version", { ":version": { S: String(job.version) } });
      FAILPOINT: await failpoint("afterCommit");
      return isWritten ? next : undefined;
    },

    async keepStart(start) {
      const item = { ...toItem(start), [JOBS_TABLE.expires]: { N: String(Math.ceil(endOf(start) / 1_000)) } };
      const command = new PutItemCommand({
        TableName: table,
        Item: item,
        // DynamoDB deletes an expired item up to days later.
        ConditionExpression: "attribute_not_exists(id) OR startedAt <= :ended",
        ExpressionAttributeValues: { ":ended": { S: new Date(Date.parse(start.startedAt) - KEPT_MS).toISOString() } },
      });
      for (;;) {
        if (await isMet(client.send(command))) return start;
        const kept = fromItem(await get(start.tenant, start.id), exportStart, []);
        if (kept !== undefined) return kept;
      }
    },

    async list(tenant, { after, limit }) {
      const { Items: items = [], LastEvaluatedKey: last } = await answered(
        client.send(
          new QueryCommand({
            TableName: table,
            ConsistentRead: true,
            KeyConditionExpression: `#tenant = :tenant AND ${after === undefined ? "begins_with(#id, :id)" : "#id BETWEEN :first AND :id"}`,
            ProjectionExpression: LISTED.map((name) => `#${name}`).join(", "),
            ExpressionAttributeNames: Object.fromEntries(LISTED.map((name) => [`#${name}`, name])),
            ExpressionAttributeValues: {
              ":tenant": { S: tenant },
              ":id": { S: after ?? EXPORT_ID },
              ...(after !== undefined && { ":first": { S: EXPORT_ID } }),
            },
            ScanIndexForward: false,
            // The one of `after` is among them.
            Limit: after === undefined ? limit : limit + 1,
          }),
        ),
      );
      const jobs = items.flatMap((item) => toJob({ ...item, parts: { S: "[]" } }) ?? []);
      return { items: jobs.filter(({ id }) => id !== after), next: last?.[JOBS_TABLE.sortKey]?.S };
    },
  };
}

/** The beginning of the id of every export, which keeps them apart from jobs of another kind. */
const EXPORT_ID = "exp_";

const DAY_SECONDS = 86_400;
const KEPT_MS = IDEMPOTENCY_HOURS * 3_600_000;

const endOf = ({ startedAt }: ExportStart): number => Date.parse(startedAt) + KEPT_MS;

const expiryOf = ({ createdAt }: ExportJob): number =>
  Math.ceil(Date.parse(createdAt) / 1_000) + EXPORT_JOB_KEPT_DAYS * DAY_SECONDS;

/** The parts may have 200 KB. */
const LISTED = Object.keys(exportJob.shape).filter((name) => name !== "parts");

/** The members that are no text. */
const JSON_MEMBERS = ["select", "types", "sources", "rows", "scanned", "bytes", "parts", "attempts", "version"];

const toJob = (item: Item | undefined) => fromItem(item, exportJob, JSON_MEMBERS);
