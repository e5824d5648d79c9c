import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createAccessStore } from "../../functions/adapters/dynamodb/access-store.ts";
import { createAuditLog } from "../../functions/adapters/dynamodb/audit-log.ts";
import { createDynamoDb } from "../../functions/adapters/dynamodb/client.ts";
import { createKeyUsage } from "../../functions/adapters/dynamodb/key-usage.ts";
import type { AuditHead } from "../../functions/core/access.ts";
import type { Item } from "../../functions/adapters/dynamodb/items.ts";
import { EMPTY_HEAD, NO_HEAD, verifyChain } from "../../functions/core/audit.ts";
import { INGEST_TIMEOUT_SECONDS } from "../../functions/core/function-limits.ts";
import { auditSample, keySample, tenantSample } from "../support/access-samples.ts";
import { openAccessTables } from "../support/access-tables.ts";
import { describeAccessStore } from "../support/conformance/access-store.ts";
import { describeAuditLog } from "../support/conformance/audit-log.ts";
import { describeKeyUsage } from "../support/conformance/key-usage.ts";
import { stubAws } from "../support/local-aws.ts";
import { soonerThan } from "../support/sooner-than.ts";
import { memoryAccessStore, memoryAuditLog, memoryKeyUsage } from "../unit/access/support.ts";

async function openStore() {
  const { client, outage } = await openAccessTables();
  return { client, store: createAccessStore({ client, table: "access" }), outage };
}

async function openUsage() {
  const { client, outage } = await openAccessTables();
  return { client, usage: createKeyUsage({ client, table: "usage" }), outage };
}

async function openAudit() {
  const { client, outage } = await openAccessTables();
  const keyOf = (tenant: string, number: number | string) => ({ tenant: { S: tenant }, number: { N: String(number) } });
  return {
    client,
    log: createAuditLog({ client, table: "audit" }),
    outage,
    /** Writes an item as somebody does who can write the table. */
    put: (number: number | string, rest: Item, tenant = "acme") =>
      client.send(new PutItemCommand({ TableName: "audit", Item: { ...rest, ...keyOf(tenant, number) } })),
    remove: async (tenant: string, numbers: readonly number[]) => {
      for (const number of numbers)
        await client.send(new DeleteItemCommand({ TableName: "audit", Key: keyOf(tenant, number) }));
    },
  };
}

/** Fails one call of a client, before or after it reaches the table. */
function failOnce(client: DynamoDBClient, isMeant: (command: object) => boolean, when: "before" | "after"): void {
  const send = client.send.bind(client) as (command: object, options?: object) => Promise<unknown>;
  let isDone = false;
  vi.spyOn(client, "send").mockImplementation((async (command: object, options?: object) => {
    if (isDone || !isMeant(command)) return send(command, options);
    isDone = true;
    if (when === "after") await send(command, options);
    throw new Error("no answer");
  }) as never);
}

const isPutOf = (number: string) => (command: object) =>
  command instanceof PutItemCommand && command.input.Item?.["number"]?.N === number;

/** Closes a table at once: the calls after it find nobody. */
const closed = <Opened extends { outage: () => Promise<void> }>({ outage, ...rest }: Opened) => ({
  ...rest,
  outage: () => void outage(),
});

describeAccessStore("in memory", async () => memoryAccessStore());
describeAccessStore("in DynamoDB", async () => closed(await openStore()));
describeKeyUsage("in memory", async () => memoryKeyUsage());
describeKeyUsage("in DynamoDB", async () => closed(await openUsage()));
describeAuditLog("in memory", async () => {
  const { rowsOf, ...rest } = memoryAuditLog();
  const setHead = async (tenant: string, head: AuditHead) => void (rowsOf(tenant).head = head);
  const remove = async (tenant: string, numbers: readonly number[]) => {
    for (const number of numbers) {
      if (number === 0) rowsOf(tenant).head = NO_HEAD;
      else rowsOf(tenant).entries.delete(number);
    }
  };
  return { ...rest, setHead, remove };
});
describeAuditLog("in DynamoDB", async () => {
  const { client, put, ...rest } = closed(await openAudit());
  const isHeadOfEntry = (command: object) =>
    isPutOf("0")(command) && (command as PutItemCommand).input.Item?.["last"]?.N !== "0";
  return {
    ...rest,
    crashBeforeHead: () => failOnce(client, isHeadOfEntry, "before"),
    setHead: (tenant, { number, hash }) => put(0, { last: { N: String(number) }, hash: { S: hash } }, tenant),
  };
});

describe("a table that does not answer", () => {
  it("ends each call well within the time of ingest", async () => {
    const connections = new Set<Socket>();
    const silent = createServer((connection) => void connections.add(connection)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    stubAws({ AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` });
    const client = createDynamoDb();
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      client.destroy();
      for (const connection of connections) connection.destroy();
      silent.close();
      await once(silent, "close");
    });

    const answers = Promise.allSettled([
      createAccessStore({ client, table: "access" }).key("4fQ0v7xYbN2k"),
      createKeyUsage({ client, table: "usage" }).used("4fQ0v7xYbN2k", "2026-11-29"),
    ]);

    expect(await soonerThan(1_000 * INGEST_TIMEOUT_SECONDS, answers)).toMatchObject([
      { status: "rejected", reason: { name: "AccessError" } },
      { status: "fulfilled" },
    ]);
    expect(connections.size).toBeGreaterThan(0);
  });
});

describe("the table of keys and tenants", () => {
  it("refuses an item that Sluice did not write, instead of a key with other rights", async () => {
    const { client, store } = await openStore();
    const put = (pk: string, more: object) =>
      client.send(new PutItemCommand({ TableName: "access", Item: { pk: { S: pk }, ...more } }));
    await store.createKey(keySample({ types: ["a"] }));
    const item = (
      await client.send(new GetItemCommand({ TableName: "access", Key: { pk: { S: "key#4fQ0v7xYbN2k" } } }))
    ).Item;

    for (const damage of [
      { role: { S: "root" } },
      { types: { S: "a" } },
      { types: { S: '["a"' } },
      { tenant: { N: "1" } },
    ]) {
      await put("key#4fQ0v7xYbN2k", { ...item, ...damage });
      await expect(store.key("4fQ0v7xYbN2k")).rejects.toMatchObject({
        name: "AccessError",
        message: "The item key#4fQ0v7xYbN2k of a table is not what Sluice writes.",
      });
    }
  });

  it("reads keys and tenants strongly consistent, on which a revocation within ten seconds rests", async () => {
    const { client, store } = await openStore();
    const sent = vi.spyOn(client, "send");

    await store.key("4fQ0v7xYbN2k");
    await store.tenant("acme");

    const reads = sent.mock.calls.map(([command]) => command as object);
    expect(reads.map((command) => command instanceof GetItemCommand && command.input.ConsistentRead)).toEqual([
      true,
      true,
    ]);
  });

  it("lets the item of a key expire 90 days after the end of the key, and that of a key without an end never", async () => {
    const { client, store } = await openStore();
    const id = keySample().id;
    const expiry = async (pk: string) =>
      (await client.send(new GetItemCommand({ TableName: "access", Key: { pk: { S: pk } } }))).Item?.["expires"]?.N;
    const seconds = (instant: string) => String(Date.parse(instant) / 1_000);

    await store.createKey(keySample());
    await store.createKey(keySample({ id: "ends00000000", expiresAt: "2026-12-01T00:00:00.500Z" }));
    await store.createTenant(tenantSample());
    const before = await expiry(`key#${id}`);
    await store.revokeKey(id, "2026-11-30T00:00:00.000Z");
    await store.revokeKey(id, "2027-11-30T00:00:00.000Z");
    await store.changeTenant("acme", { state: "suspended" });

    expect(before).toBeUndefined();
    expect(await expiry(`key#${id}`)).toBe(seconds("2027-02-28T00:00:00Z"));
    expect(await expiry("key#ends00000000")).toBe(seconds("2027-03-01T00:00:01Z"));
    expect(await expiry("tenant#acme")).toBeUndefined();
    expect(await store.key(id)).toEqual(keySample({ revokedAt: "2026-11-30T00:00:00.000Z" }));
  });

  it("never takes a tenant for a key, nor a key for a tenant", async () => {
    const { store } = await openStore();
    await store.createTenant(tenantSample({ tenant: "4fq0v7xybn2k" }));
    await store.createKey(keySample());

    expect(await store.key("4fq0v7xybn2k")).toBeUndefined();
    expect(await store.tenant(keySample().id)).toBeUndefined();
  });
});

describe("the table of the last use", () => {
  it("lets an item expire a year after the day", async () => {
    const { client, usage } = await openUsage();

    await usage.used("a", "2026-11-29");

    const { Item: item } = await client.send(new GetItemCommand({ TableName: "usage", Key: { pk: { S: "key#a" } } }));
    expect(item).toEqual({
      pk: { S: "key#a" },
      day: { S: "2026-11-29" },
      expires: { N: String(Date.parse("2027-11-30T00:00:00Z") / 1_000) },
    });
  });
});

describe("the table of the audit log", () => {
  it("has an entry once where the answer of its write was lost", async () => {
    const { client, log } = await openAudit();
    // The SDK repeats such a call, and its second attempt finds the item of the first.
    const send = client.send.bind(client) as (command: object) => Promise<unknown>;
    vi.spyOn(client, "send").mockImplementation((async (command: object) => {
      if (isPutOf("1")(command)) await send(command);
      return send(command);
    }) as never);

    await log.append(auditSample());

    const { entries, head } = await log.read("acme", 0, 10);
    expect(entries.map(({ number }) => number)).toEqual([1]);
    expect(head.number).toBe(1);
  });

  it("does not report an entry as written whose write got no answer, and goes on behind it", async () => {
    const { client, log } = await openAudit();
    failOnce(client, isPutOf("1"), "after");

    await expect(log.append(auditSample({ requestId: "r-1" }))).rejects.toMatchObject({ name: "AccessError" });
    await log.append(auditSample({ requestId: "r-2" }));

    const { entries, head } = await log.read("acme", 0, 10);
    expect(entries.map(({ requestId }) => requestId)).toEqual(["r-1", "r-2"]);
    expect(verifyChain(entries, head)).toBeUndefined();
  });

  it("shows by verification what somebody changed who can write it", async () => {
    const verified = async (tamper: (client: DynamoDBClient) => Promise<unknown>) => {
      const { client, log } = await openAudit();
      for (let at = 1; at <= 4; at++) await log.append(auditSample({ requestId: `r-${at}`, details: {} }));
      await tamper(client);
      const { entries, head } = await log.read("acme", 0, 10);
      return verifyChain(entries, head);
    };
    const keyOf = (number: number) => ({ tenant: { S: "acme" }, number: { N: String(number) } });
    const set = (number: number, name: string, value: object) => (client: DynamoDBClient) =>
      client.send(
        new UpdateItemCommand({
          TableName: "audit",
          Key: keyOf(number),
          UpdateExpression: "SET #name = :value",
          ExpressionAttributeNames: { "#name": name },
          ExpressionAttributeValues: { ":value": value as { S: string } },
        }),
      );
    const remove = (number: number) => (client: DynamoDBClient) =>
      client.send(new DeleteItemCommand({ TableName: "audit", Key: keyOf(number) }));

    expect(await verified(async () => undefined)).toBeUndefined();
    expect(await verified(set(2, "who", { S: "nobody" }))).toMatchObject({ kind: "edited", number: 2 });
    expect(await verified(set(2, "details", { S: "{" }))).toMatchObject({ kind: "edited", number: 2 });
    for (const details of ["null", "5", "[]", '"{}"', '{"a":1}'])
      expect(await verified(set(2, "details", { S: details })), details).toMatchObject({ kind: "edited", number: 2 });
    expect(await verified(set(2, "at", { N: "5" }))).toMatchObject({ kind: "edited", number: 2 });
    expect(await verified(remove(2))).toMatchObject({ kind: "missing", number: 2 });
    expect(await verified(remove(4))).toMatchObject({ kind: "removed_at_end", number: 4 });
    expect(await verified(remove(0))).toMatchObject({ kind: "wrong_head" });
    expect(await verified(set(0, "last", { N: "2" }))).toMatchObject({ kind: "wrong_head" });
    expect(await verified(set(0, "hash", { S: EMPTY_HEAD.hash }))).toMatchObject({ kind: "replaced", number: 4 });
    for (const name of ["last", "hash"])
      expect(await verified(set(0, name, { BOOL: true })), name).toMatchObject({ kind: "wrong_head" });
    for (const last of ["2.5", "-1", "1e30"])
      expect(await verified(set(0, "last", { N: last })), last).toMatchObject({ kind: "wrong_head" });
  });

  it("answers entries that nobody can read, and verification names them", async () => {
    const { put, log } = await openAudit();
    for (let at = 1; at <= 2; at++) await log.append(auditSample({ details: {} }));
    const deep = "[".repeat(50_000) + "]".repeat(50_000);
    const items: [number | string, Item][] = [
      [2, {}],
      [2, { details: { S: `{"a":${deep}}` } }],
      [2, { details: { S: '{"a":{"a":'.repeat(5_000) + "1" + "}}".repeat(5_000) } }],
      [2, { at: { S: "yesterday" }, hash: { L: [] }, details: { M: {} } }],
    ];
    for (const [number, item] of items) {
      await put(number, item);
      const { entries, head } = await log.read("acme", 0, 10);
      expect(verifyChain(entries, head)).toMatchObject({ kind: "edited", number: 2 });
      expect(() => JSON.stringify(entries)).not.toThrow();
    }

    for (const number of ["1.5", "1.00000000000000000001", "0.5", "1e120"]) {
      const { put: putInto, log: another } = await openAudit();
      for (let at = 1; at <= 2; at++) await another.append(auditSample());
      await putInto(number, {});
      const { entries, head } = await another.read("acme", 0, 10);
      expect(verifyChain(entries, head), number).toBeDefined();
    }
  });

  it("shows details whose text was changed to another of the same meaning", async () => {
    const { client, put, log } = await openAudit();
    await log.append(auditSample({ details: { role: "reader" } }));
    const Key = { tenant: { S: "acme" }, number: { N: "1" } };
    const { Item: item } = await client.send(new GetItemCommand({ TableName: "audit", Key }));

    for (const details of ['{"role":"admin","role":"reader"}', '{ "role": "reader" }']) {
      await put(1, { ...item, details: { S: details } });
      const { entries, head } = await log.read("acme", 0, 10);
      expect(verifyChain(entries, head), details).toMatchObject({ kind: "edited", number: 1 });
    }
  });
});
