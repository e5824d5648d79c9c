import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Migration } from "../../core/ports.ts";

/** Reads the `.sql` files of a folder without hidden ones, sorted by name. @throws Error when there is none */
export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql") && !name.startsWith("."))
    .toSorted();
  if (names.length === 0) throw new Error(`No migrations in ${folder}.`);
  return names.map((name) => ({ name, sql: readFileSync(join(folder, name), "utf8") }));
}
