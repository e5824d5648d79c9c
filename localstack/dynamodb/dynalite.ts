import type { Server } from "node:http";
import { createRequire } from "node:module";

/**
 * The parts of dynalite 4.0.0 that the runtime uses.
 *
 * Its server keeps its store to itself, cannot add an index to a table, and answers each change of a table later. So tables
 * and indexes are written into the store (prepare-tables.ts) before the server gets it. `package.json` pins the version,
 * and the contract tests fail if a part has moved.
 */
const require = createRequire(import.meta.url);
const dynalite = require("dynalite") as (options: object) => Server;

/** The functions of dynalite that compute the keys of items and of index entries. */
export const db = require("dynalite/db") as {
  create: (options: { path?: string | undefined }) => Store;
  createKey: (item: Item, table: Table) => string;
  /** The entries that an item has in each of these indexes. */
  getIndexActions: (indexes: Index[], before: undefined, item: Item, table: Table) => { puts: IndexEntry[] };
  updateIndexes: (store: Store, table: Table, before: Item, item: undefined, callback: Callback) => void;
};

/**
 * A store in the LevelDB of a folder, which is created if it is missing; without a folder in memory.
 * @throws Error if another process has opened the folder, or its files are damaged; its `cause` names the reason
 */
export async function openStore(folder: string | undefined): Promise<Store> {
  const store = db.create({ path: folder });
  await store.db.open();
  return store;
}

/** A server of the store, which does not listen yet. Closing the server closes the store. */
export function createDynalite(store: Store): Server {
  const { create } = db;
  db.create = () => store;
  try {
    const server = dynalite({});
    const [answer] = server.listeners("request");
    server.removeAllListeners("request");
    server.on("request", (request, response) => {
      if (answer !== undefined) Reflect.apply(answer, server, [request, response]);
      // dynalite throws the error of a client that ends while it sends its request, which would end this process.
      request.removeAllListeners("error");
      request.on("error", () => undefined);
    });
    return server;
  } finally {
    db.create = create;
  }
}

export type Store = {
  db: { open: () => Promise<void>; close: () => Promise<void> };
  tableDb: Database<Table>;
  getItemDb: (table: string) => Database<Item>;
  getIndexDb: (kind: "Global", table: string, index: string) => Database<Item>;
  deleteIndexDb: (kind: "Global", table: string, index: string, callback: Callback) => void;
};

type Database<Value> = {
  get: (key: string, callback: (error: Error | null, value?: Value) => void) => void;
  put: (key: string, value: Value, callback: Callback) => void;
  del: (key: string, callback: Callback) => void;
  batch: (operations: { type: "put"; key: string; value: Value }[], callback: Callback) => void;
  createKeyStream: () => AsyncIterable<string>;
  createValueStream: () => AsyncIterable<Value>;
};

type Callback = (error: Error | null) => void;

/** Attributes by name, in DynamoDB's form: `{ "id": { "S": "1" } }`. */
export type Item = Record<string, Record<string, unknown> | undefined>;

type IndexEntry = { index: string; key: string; item: Item };

/** A table as `DescribeTable` answers it. */
export type Table = {
  TableName: string;
  AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
  KeySchema: KeySchema;
  GlobalSecondaryIndexes?: Index[];
  [other: string]: unknown;
};

export type Index = {
  IndexName: string;
  KeySchema: KeySchema;
  Projection: { ProjectionType: string; NonKeyAttributes?: string[] };
  [other: string]: unknown;
};

export type KeySchema = { AttributeName: string; KeyType: "HASH" | "RANGE" }[];
