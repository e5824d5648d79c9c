import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import {
  type AttributeValue,
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChildServer } from "../../localstack/child-server.ts";
import { openStore, type Store } from "../../localstack/dynamodb/dynalite.ts";
import { startDynamodb, startSupervisedDynamodb } from "../../localstack/dynamodb/dynamodb.ts";
import { prepareTables } from "../../localstack/dynamodb/prepare-tables.ts";
import type { TableModel } from "../../localstack/template/model.ts";
import { dynamodbClient, startDynamodb as startInMemory, tableModel } from "../support/dynamodb.ts";
import { eventually } from "../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

type Item = Record<string, AttributeValue>;

const BY_TENANT = {
  name: "by-tenant",
  key: { hash: { name: "tenant", type: "S" }, range: { name: "number", type: "N" } },
  attributes: "all",
} as const satisfies TableModel["globalIndexes"][number];
const KEYS = tableModel({ name: "keys", key: { hash: { name: "id", type: "S" } }, globalIndexes: [BY_TENANT] });
const PLAIN: TableModel = { ...KEYS, globalIndexes: [] };

let folder: TemporaryFolder;
let dynamodb: ChildServer;
let client: DynamoDBClient;
let notes: string[];

async function open(): Promise<void> {
  folder = await temporaryFolder();
  await start([KEYS]);
}

async function close(): Promise<void> {
  client.destroy();
  await dynamodb.stop();
  await folder.remove();
}

function useOneProcessPerTest(): void {
  beforeEach(open);
  afterEach(close);
}

/** For tests that leave only items behind. */
function useOneProcess(): void {
  beforeAll(open);
  afterAll(close);
}

async function start(tables: TableModel[]): Promise<void> {
  notes = [];
  dynamodb = await startDynamodb({ dataDir: folder.path, tables, log: (line) => notes.push(line) });
  client = dynamodbClient(dynamodb.endpoint);
}

async function restart(tables: TableModel[], how: "in order" | "killed" = "in order"): Promise<void> {
  client.destroy();
  await end(how);
  await start(tables);
}

async function end(how: "in order" | "killed"): Promise<void> {
  if (how === "in order") return dynamodb.stop();
  process.kill(dynamodb.pid, "SIGKILL");
  await dynamodb.exited;
}

const put = (item: Item, condition?: string) =>
  client.send(new PutItemCommand({ TableName: "keys", Item: item, ConditionExpression: condition }));

const item = (id: string, others: Item = {}): Item => ({ id: { S: id }, ...others });

async function get(id: string): Promise<Item | undefined> {
  const command = new GetItemCommand({ TableName: "keys", Key: { id: { S: id } }, ConsistentRead: true });
  return (await client.send(command)).Item;
}

async function idsOf(tenant: string): Promise<string[]> {
  const { Items: items = [] } = await client.send(
    new QueryCommand({
      TableName: "keys",
      IndexName: "by-tenant",
      KeyConditionExpression: "tenant = :tenant",
      ExpressionAttributeValues: { ":tenant": { S: tenant } },
    }),
  );
  return idsIn(items);
}

const idsIn = (items: Item[]): string[] => items.map(({ id }) => id?.S ?? "");

/** Changes the store of a process that has ended. */
async function change(work: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore(join(folder.path, "leveldb"));
  await work(store);
  await store.db.close();
}

describe("the local DynamoDB", () => {
  useOneProcess();

  it("the local DynamoDB has the tables of the template, with keys and indexes", async () => {
    const { TableNames: names } = await client.send(new ListTablesCommand({}));
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: "keys" }));

    expect(names).toEqual(["keys"]);
    expect(table).toMatchObject({
      TableArn: KEYS.arn,
      TableStatus: "ACTIVE",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" },
      GlobalSecondaryIndexes: [
        { IndexName: "by-tenant", IndexStatus: "ACTIVE", Projection: { ProjectionType: "ALL" } },
      ],
    });
  });

  it("one of many conditional writes of an item succeeds", async () => {
    const writes = Array.from({ length: 20 }, (_, by) =>
      put(item("one", { by: { N: `${by}` } }), "attribute_not_exists(id)").then(
        () => "written",
        (error: Error) => error.name,
      ),
    );

    const outcomes = await Promise.all(writes);

    expect(outcomes.filter((each) => each === "written")).toHaveLength(1);
    expect(outcomes.filter((each) => each === "ConditionalCheckFailedException")).toHaveLength(19);
  });

  it("conditional additions at the same time give out no more than there is", async () => {
    await put(item("bucket", { tokens: { N: "10" } }));

    const taken = await Promise.all(
      Array.from({ length: 25 }, () =>
        client
          .send(
            new UpdateItemCommand({
              TableName: "keys",
              Key: { id: { S: "bucket" } },
              UpdateExpression: "add tokens :taken",
              ConditionExpression: "tokens >= :one",
              ExpressionAttributeValues: { ":taken": { N: "-1" }, ":one": { N: "1" } },
            }),
          )
          .then(
            () => true,
            () => false,
          ),
      ),
    );

    expect(taken.filter(Boolean)).toHaveLength(10);
    expect((await get("bucket"))?.["tokens"]).toEqual({ N: "0" });
  });

  it("an index has the items of a tenant in the order of its range key", async () => {
    for (const number of ["10", "9", "-1"]) {
      await put(item(`key-${number}`, { tenant: { S: "acme" }, number: { N: number } }));
    }
    await put(item("other", { tenant: { S: "other" }, number: { N: "1" } }));
    await put(item("without", { tenant: { S: "acme" } }));

    expect(await idsOf("acme")).toEqual(["key--1", "key-9", "key-10"]);
  });

  it("a transaction is refused, so nothing can rely on one here", async () => {
    const headers = {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.TransactWriteItems",
    };

    const response = await fetch(dynamodb.endpoint, { method: "POST", headers, body: "{}" });

    expect(await response.text()).toContain("UnknownOperationException");
  });
});

describe("the DynamoDB process", () => {
  useOneProcessPerTest();

  it.each(["in order", "killed"] as const)("items are there after the process ended %s", async (how) => {
    await put(item("kept", { tenant: { S: "acme" }, number: { N: "1" } }));

    await restart([KEYS], how);

    expect(await get("kept")).toEqual(item("kept", { tenant: { S: "acme" }, number: { N: "1" } }));
    expect(await idsOf("acme")).toEqual(["kept"]);
    expect(notes).toEqual([]);
  });

  it("a process that is killed while it writes loses nothing that it answered", async () => {
    const answered: string[] = [];
    const writes = Array.from({ length: 300 }, (_, count) =>
      put(item(`${count}`, { tenant: { S: "acme" }, number: { N: `${count}` } })).then(
        () => answered.push(`${count}`),
        () => undefined,
      ),
    );
    await eventually(
      () => answered.length,
      (count) => count >= 20,
    );

    await end("killed");
    await Promise.all(writes);
    await start([KEYS]);

    const { Items: items = [] } = await client.send(new ScanCommand({ TableName: "keys", ConsistentRead: true }));
    const stored = idsIn(items);
    expect(answered.filter((id) => !stored.includes(id))).toEqual([]);
    expect((await idsOf("acme")).toSorted()).toEqual(stored.toSorted());
  });

  it("an index that a killed process changed before its table is repaired at the next start", async () => {
    await end("killed");
    await change(async (store) => {
      const index = store.getIndexDb("Global", "keys", "by-tenant");
      const phantom = item("phantom", { tenant: { S: "acme" }, number: { N: "1" } });
      await new Promise<void>((done) => index.put("000/phantom", phantom as never, () => done()));
    });
    await start([KEYS]);

    const { Count: count } = await client.send(new ScanCommand({ TableName: "keys", IndexName: "by-tenant" }));
    expect(count).toBe(0);
  });

  it("a process that ended in order leaves nothing to repair", async () => {
    await dynamodb.stop();
    const left = await readdir(folder.path);
    await start([KEYS]);

    expect(left).toEqual(["leveldb"]);
  });

  it("the process survives the signal that Ctrl-C sends to the whole terminal group", async () => {
    process.kill(dynamodb.pid, "SIGINT");

    await expect(get("none")).resolves.toBeUndefined();
  });

  it("the process survives a client that ends in the middle of a request", async () => {
    const socket = connect(Number(new URL(dynamodb.endpoint).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n{");
    // An answer on another connection says that the first has been read.
    await get("none");
    socket.resetAndDestroy();
    await once(socket, "close");

    await put(item("after"));
    expect(await get("after")).toEqual(item("after"));
  });

  it("the process says which port is taken", async () => {
    const other = await temporaryFolder();
    const { port } = new URL(dynamodb.endpoint);

    const second = startDynamodb({ dataDir: other.path, port: Number(port), tables: [] });

    await expect(second).rejects.toThrow(`DynamoDB did not start: port ${port} is in use`);
    await other.remove();
  });

  it("the process does not share its folder with a second one", async () => {
    const second = startDynamodb({ dataDir: folder.path, tables: [KEYS] });

    await expect(second).rejects.toThrow("If another process uses it, stop that first; else start with --fresh.");
    await put(item("still works"));
  });

  it("a supervised process runs again with its port and its items after a kill", async () => {
    const other = await temporaryFolder();
    const lines: string[] = [];
    const supervised = await startSupervisedDynamodb({
      dataDir: other.path,
      tables: [KEYS],
      giveUp: (reason) => lines.push(reason.message),
      log: (line) => lines.push(line),
    });
    const own = dynamodbClient(supervised.endpoint);
    await own.send(new PutItemCommand({ TableName: "keys", Item: item("kept") }));

    process.kill(Number(await readFile(join(other.path, "in-use"), "utf8")), "SIGKILL");

    const found = await eventually(
      async () => (await own.send(new GetItemCommand({ TableName: "keys", Key: item("kept") }))).Item,
    );
    own.destroy();
    await supervised.stop();
    await other.remove();
    expect(found).toEqual(item("kept"));
    expect(lines).toContain("The tables (DynamoDB) runs again");
  });

  it("without the tables of a template, a process keeps those that its clients create, and has no note of them", async () => {
    const other = await temporaryFolder();
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const first = await startDynamodb({ dataDir: other.path, log });
    const creator = dynamodbClient(first.endpoint);
    await creator.send(
      new CreateTableCommand({
        TableName: "made",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      }),
    );
    await eventually(
      async () => (await creator.send(new DescribeTableCommand({ TableName: "made" }))).Table?.TableStatus,
      (status) => status === "ACTIVE",
    );
    await creator.send(new PutItemCommand({ TableName: "made", Item: item("kept") }));
    creator.destroy();
    await first.stop();

    const second = await startDynamodb({ dataDir: other.path, log });
    const reader = dynamodbClient(second.endpoint);

    const { Item: found } = await reader.send(new GetItemCommand({ TableName: "made", Key: item("kept") }));
    reader.destroy();
    await second.stop();
    await other.remove();
    expect(found).toEqual(item("kept"));
    expect(lines).toEqual([]);
  });
});

describe("a table that changed in the template", () => {
  useOneProcessPerTest();

  const acme = (id: string, number: string) => item(id, { tenant: { S: "acme" }, number: { N: number } });

  it("a new index has the items that were there, and follows later changes", async () => {
    await restart([PLAIN]);
    for (let count = 0; count < 5; count += 1) await put(acme(`${count}`, `${count}`));
    await put(item("without"));
    await put(item("other type", { tenant: { N: "1" }, number: { N: "1" } }));

    await restart([KEYS]);
    await put(acme("5", "5"));
    await put(acme("0", "9"));

    expect(await idsOf("acme")).toEqual(["1", "2", "3", "4", "5", "0"]);
  });

  it("an index with another key or other attributes is written again", async () => {
    await put(acme("one", "1"));
    await put(acme("two", "2"));
    const other = { ...BY_TENANT, key: { hash: BY_TENANT.key.hash }, attributes: [] };

    await restart([{ ...KEYS, globalIndexes: [other] }]);

    const { Items: items } = await client.send(new ScanCommand({ TableName: "keys", IndexName: "by-tenant" }));
    expect(items).toHaveLength(2);
    expect(items).toContainEqual({ id: { S: "one" }, tenant: { S: "acme" } });
  });

  it("an index that left the template is deleted, and comes back whole", async () => {
    await put(acme("one", "1"));
    await restart([PLAIN]);
    await expect(idsOf("acme")).rejects.toThrow("index");
    await put(acme("two", "2"));

    await restart([KEYS]);

    expect(await idsOf("acme")).toEqual(["one", "two"]);
  });

  it("a table with another key is refused with what to do, and its items stay", async () => {
    await put(item("kept"));
    await dynamodb.stop();
    const number = tableModel({ name: "keys", key: { hash: { name: "id", type: "N" } } });

    await expect(start([number])).rejects.toThrow(
      "The table keys has the key (id S) in the data folder and (id N) in the template. AWS would replace it by an empty table. Start with --fresh",
    );

    await start([KEYS]);
    expect(await get("kept")).toEqual(item("kept"));
  });

  it("a table that left the template keeps its items and is named", async () => {
    await put(item("kept"));
    await restart([]);
    expect(notes).toEqual(["The table keys is no longer in the template; its items are kept."]);

    await restart([KEYS]);
    expect(await get("kept")).toEqual(item("kept"));
  });
});

describe("an item whose time is over", () => {
  useOneProcessPerTest();

  it("an item whose time is over is deleted at a start, from its indexes too, and no other", async () => {
    const now = 2_000_000_000;
    const fiveYears = 5 * 365 * 86_400;
    const expiring = { ...KEYS, expiryAttribute: "expires" };
    await restart([expiring]);
    const times: Record<string, AttributeValue> = {
      "long over": { N: `${now - fiveYears - 1}` },
      over: { N: `${now - 1}` },
      now: { N: `${now}` },
      later: { N: `${now + 1}` },
      text: { S: `${now - 1}` },
    };
    for (const [id, expires] of Object.entries(times)) {
      await put(item(id, { expires, tenant: { S: "acme" }, number: { N: "1" } }));
    }
    await put(item("forever", { tenant: { S: "acme" }, number: { N: "1" } }));

    await end("in order");
    await change(async (store) => void (await prepareTables(store, [expiring], { now, repairIndexes: false })));
    await start([KEYS]);

    const { Items: items = [] } = await client.send(new ScanCommand({ TableName: "keys" }));
    const left = ["forever", "later", "long over", "now", "text"];
    expect(idsIn(items).toSorted()).toEqual(left);
    expect((await idsOf("acme")).toSorted()).toEqual(left);
  });
});

describe("DynamoDB in memory for tests", () => {
  it("DynamoDB in memory has its tables at once and ends with its connections", async () => {
    const memory = await startInMemory([{ name: "keys", key: { hash: { name: "id", type: "S" } } }]);
    const own = dynamodbClient(memory.endpoint);
    await own.send(new PutItemCommand({ TableName: "keys", Item: item("one") }));
    const { Item: found } = await own.send(new GetItemCommand({ TableName: "keys", Key: item("one") }));

    await memory.stop();

    expect(found).toEqual(item("one"));
    await expect(fetch(memory.endpoint)).rejects.toThrow("fetch failed");
    own.destroy();
  });
});
