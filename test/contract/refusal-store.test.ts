import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { createRefusalStore } from "../../functions/adapters/dynamodb/refusal-store.ts";
import { AccessError } from "../../functions/core/access.ts";
import { REFUSAL_KEPT_DAYS } from "../../functions/core/refusal-limits.ts";
import { STATUS_TABLE } from "../../functions/core/status-table.ts";
import { describeRefusalStore } from "../support/conformance/refusal-store.ts";
import { REFUSAL_DAY, storedRefusals } from "../support/refusal-samples.ts";
import { openStatusTable } from "../support/status-table.ts";

async function open() {
  const { client, table, stop } = await openStatusTable();
  return { client, store: createRefusalStore({ client, table }), stop };
}

describeRefusalStore("in DynamoDB", open);

it("a group of refusals expires when its day is over for as long as they are kept", async () => {
  const { client, store } = await open();

  await store.change({ tenant: "acme", day: REFUSAL_DAY, id: "a" }, () => storedRefusals());

  const Key = { pk: { S: "refusals#acme" }, sk: { S: `${REFUSAL_DAY}#a` } };
  const { Item: item } = await client.send(new GetItemCommand({ TableName: "status", Key }));
  const end = Date.parse("2026-11-30T00:00:00.000Z") + REFUSAL_KEPT_DAYS * 86_400_000;
  expect(item?.[STATUS_TABLE.expires]?.N).toBe(String(end / 1_000));
});

it("a store of refusals whose table does not answer fails as an outage of tables", async () => {
  const { store, stop } = await open();
  await stop();

  await expect(store.readDay("acme", REFUSAL_DAY)).rejects.toThrow(AccessError);
  await expect(store.admit("acme", REFUSAL_DAY, ["a"])).rejects.toThrow(AccessError);
});
