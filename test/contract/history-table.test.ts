import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { createHistoryTable } from "../../functions/adapters/dynamodb/history-table.ts";
import { AccessError } from "../../functions/core/access.ts";
import { HISTORY_KEPT_MS, HISTORY_MINUTE_MS } from "../../functions/core/history.ts";
import { describeHistoryTable } from "../support/conformance/history-table.ts";
import { openStatusTable } from "../support/status-table.ts";

describeHistoryTable("in DynamoDB", async () => createHistoryTable(await openStatusTable()));

const AT = Date.parse("2026-11-30T09:30:00.000Z");

it("the history of half an hour is an item of at most 1 KB, which expires", async () => {
  const { client, table } = await openStatusTable();
  const history = createHistoryTable({ client, table });
  const counts = { accepted: 123_456_789, stored: 123_456_789, open: 1 };

  for (let minute = 0; minute < 30; minute++) {
    const sample = { at: AT + minute * HISTORY_MINUTE_MS, ...counts, lagMs: 12_345 };
    await history.writeSample("acme", sample, counts, sample.at);
  }
  await history.addRefused("acme", [{ message: "a", at: AT, count: 1 }]);

  const { Items: items = [] } = await client.send(new ScanCommand({ TableName: table }));
  const expires = { N: String((AT + HISTORY_KEPT_MS) / 1_000) };
  expect(items).toMatchObject([
    { pk: { S: "history#acme" }, expires },
    { pk: { S: "history#acme" }, expires },
  ]);
  const [first = {}] = items;
  const bytes = Object.entries(first).reduce(
    (sum, [name, { S = "", N = "" }]) => sum + name.length + S.length + N.length,
    0,
  );
  expect(bytes).toBeLessThanOrEqual(1_024);
});

it("a history whose table does not answer fails as an outage of tables", async () => {
  const { client, table, stop } = await openStatusTable();
  const history = createHistoryTable({ client, table });
  await stop();

  const counts = { accepted: 1, stored: 1, open: 0 };
  await expect(history.read("acme", AT)).rejects.toThrow(AccessError);
  await expect(history.writeSample("acme", { at: AT, ...counts }, counts, AT)).rejects.toThrow(AccessError);
});
