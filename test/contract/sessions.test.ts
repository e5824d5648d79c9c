import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { createAccessReader } from "../../functions/adapters/dynamodb/access-reader.ts";
import { createSessionStore } from "../../functions/adapters/dynamodb/session-store.ts";
import { openAccessTables } from "../support/access-tables.ts";
import { describeSessionStore } from "../support/conformance/session-store.ts";
import { memorySessions } from "../support/memory-sessions.ts";

async function openSessions() {
  const { client, outage } = await openAccessTables();
  const where = { client, table: "access" };
  return { client, store: createSessionStore(where), reader: createAccessReader(where), outage };
}

describeSessionStore("the store of sessions in memory", async () => memorySessions());
describeSessionStore("the store of sessions in DynamoDB", openSessions);

it("the store of sessions in DynamoDB gives each item the second in which it ends", async () => {
  const { client, store } = await openSessions();

  await store.createCode("aa", { keyId: "k", keyTenant: "acme", expiresAt: "2026-11-29T10:05:00.001Z" });
  await store.createSession("bb", { keyId: "k", expiresAt: "2026-11-29T18:00:00.000Z" });

  const expiryOf = async (pk: string) =>
    (await client.send(new GetItemCommand({ TableName: "access", Key: { pk: { S: pk } } }))).Item?.["expires"]?.N;
  expect(await expiryOf("code#aa")).toBe(String(Date.parse("2026-11-29T10:05:01Z") / 1_000));
  expect(await expiryOf("session#bb")).toBe(String(Date.parse("2026-11-29T18:00:00Z") / 1_000));
});

it("the store of sessions in DynamoDB refuses an item that somebody has written by hand", async () => {
  const { client, reader } = await openSessions();
  const item = { pk: { S: "session#aa" }, keyId: { S: "k" }, expiresAt: { S: "never" } };
  await client.send(new PutItemCommand({ TableName: "access", Item: item }));

  await expect(reader.session("aa")).rejects.toMatchObject({ name: "AccessError", isOutage: false });
});
