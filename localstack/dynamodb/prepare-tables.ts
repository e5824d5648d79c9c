import { promisify } from "node:util";
import type { KeyAttribute, TableModel } from "../template/model.ts";
import { db, type Index, type Item, type KeySchema, type Store, type Table } from "./dynalite.ts";
import { attributesOf, describeIndexes, describeTable } from "./table-description.ts";

export type PrepareOptions = {
  /** Seconds since 1970. */
  now: number;
  /** Writes every index again: a process that was killed may have changed an index and not yet its table. */
  repairIndexes: boolean;
};

/**
 * Brings the tables of a store in line with the template: creates the missing ones, adds, changes and removes indexes, and
 * deletes items whose time is over. A table that the template no longer has is kept with its items; the lines returned
 * name it.
 * @throws Error for a table with another key, whose items cannot be kept
 */
export async function prepareTables(store: Store, models: TableModel[], options: PrepareOptions): Promise<string[]> {
  const known = new Set(models.map(({ name }) => name));
  for (const model of models) await prepareTable(store, model, options);
  const kept: string[] = [];
  for await (const name of store.tableDb.createKeyStream()) {
    if (!known.has(name)) kept.push(`The table ${name} is no longer in the template; its items are kept.`);
  }
  return kept;
}

async function prepareTable(store: Store, model: TableModel, { now, repairIndexes }: PrepareOptions): Promise<void> {
  const put = promisify(store.tableDb.put);
  const found = await promisify(store.tableDb.get)(model.name);
  if (found === undefined) return put(model.name, describeTable(model, { createdAt: now }));

  refuseOtherKey(model.name, keyOf(found, found.KeySchema), attributesOf(model.key));
  const { GlobalSecondaryIndexes: indexesFound = [], ...rest } = found;
  const table: Table = { ...rest, ...describeIndexes(model) };
  for (const index of table.GlobalSecondaryIndexes ?? []) {
    const before = indexesFound.find(({ IndexName }) => IndexName === index.IndexName);
    if (repairIndexes || before === undefined || shapeOf(before, found) !== shapeOf(index, table)) {
      await writeIndex(store, table, index);
    }
  }
  // The description comes last: a start that ends before it is repeated by the next one.
  if (JSON.stringify(table) !== JSON.stringify(found)) await put(model.name, table);
  if (model.expiryAttribute !== undefined) await deleteExpired(store, table, model.expiryAttribute, now);
}

function refuseOtherKey(table: string, found: string, key: KeyAttribute[]): void {
  const wanted = key.map(({ name, type }) => `${name} ${type}`).join(", ");
  if (found === wanted) return;
  throw new Error(
    `The table ${table} has the key (${found}) in the data folder and (${wanted}) in the template. AWS would replace it by ` +
      "an empty table. Start with --fresh, which deletes all local data, or undo the change of the key.",
  );
}

/** The attributes of a key with their types, for example `tenant S, number N`. */
function keyOf({ AttributeDefinitions }: Table, schema: KeySchema): string {
  const typeOf = (name: string) =>
    AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType ?? "";
  return schema.map(({ AttributeName: name }) => `${name} ${typeOf(name)}`).join(", ");
}

/** Everything on which the entries of an index depend. */
const shapeOf = (index: Index, table: Table): string =>
  JSON.stringify([keyOf(table, index.KeySchema), index.Projection]);

/** Writes the entries of an index for all items of its table, and no other. Items that lack an attribute of its key have none. */
async function writeIndex(store: Store, table: Table, index: Index): Promise<void> {
  await promisify(store.deleteIndexDb)("Global", table.TableName, index.IndexName);
  const entries = store.getIndexDb("Global", table.TableName, index.IndexName);
  const write = promisify(entries.batch);
  const isIndexed = (item: Item) =>
    index.KeySchema.every(({ AttributeName: name }) =>
      table.AttributeDefinitions.some(
        ({ AttributeName, AttributeType }) => AttributeName === name && item[name]?.[AttributeType] !== undefined,
      ),
    );
  let batch: { type: "put"; key: string; value: Item }[] = [];
  for await (const item of store.getItemDb(table.TableName).createValueStream()) {
    if (!isIndexed(item)) continue;
    const { puts } = db.getIndexActions([index], undefined, item, table);
    batch.push(...puts.map(({ key, item: value }) => ({ type: "put" as const, key, value })));
    if (batch.length < BATCH) continue;
    await write(batch);
    batch = [];
  }
  await write(batch);
}

/**
 * Deletes the items whose time is over, at the start only, so that the data folder does not grow for ever. DynamoDB deletes
 * them within days and answers them until then, so no reader may rely on it; nor does it delete what is over for five years.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
async function deleteExpired(store: Store, table: Table, attribute: string, now: number): Promise<void> {
  const items = store.getItemDb(table.TableName);
  const expired: Item[] = [];
  for await (const item of items.createValueStream()) {
    const time = Number(item[attribute]?.["N"]);
    if (time < now && time > now - FIVE_YEARS_SECONDS) expired.push(item);
  }
  for (const item of expired) {
    await promisify(db.updateIndexes)(store, table, item, undefined);
    await promisify(items.del)(db.createKey(item, table));
  }
}

/** Entries of an index that are written at once. */
const BATCH = 1_000;
const FIVE_YEARS_SECONDS = 5 * 365 * 86_400;
