import { type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { writeRanges } from "../../core/number-ranges.ts";
import { NOTE_KEPT_MS, type ProducerNotes } from "../../core/producer-notes.ts";
import { STATUS_TABLE } from "../../core/status-table.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { inTime, isMet } from "./client.ts";

/** A request waits for the note, and loses nothing without it. */
const WRITE_MS = 500;

/** Writes the notes of producers into the table `status`, each as one item. */
export function createProducerNotes({ client, table }: { client: DynamoDBClient; table: string }): ProducerNotes {
  return {
    async write({ producer, at, tenants }) {
      const ranges = [...tenants].map(([tenant, numbers]) => [tenant, { S: writeRanges(numbers) }]);
      const command = new PutItemCommand({
        TableName: table,
        Item: {
          [STATUS_TABLE.partitionKey]: { S: STATUS_TABLE.producer },
          [STATUS_TABLE.sortKey]: { S: producer },
          [STATUS_TABLE.expires]: { N: String(Math.ceil((at + NOTE_KEPT_MS) / 1_000)) },
          at: { N: String(at) },
          tenants: { M: Object.fromEntries(ranges) },
        },
        // A call that timed out here may reach DynamoDB after the next one.
        ConditionExpression: "attribute_not_exists(#at) OR #at <= :at",
        ExpressionAttributeNames: { "#at": "at" },
        ExpressionAttributeValues: { ":at": { N: String(at) } },
      });
      FAILPOINT: await failpoint("beforeNote");
      await inTime(WRITE_MS, (abortSignal) => isMet(client.send(command, { abortSignal })));
      FAILPOINT: await failpoint("afterNote");
    },
  };
}
