import { fileURLToPath } from "node:url";
import { readMigrations } from "../../functions/adapters/files/read-migrations.ts";
import type { Migration } from "../../functions/core/ports.ts";

/** The day the partitions are made around. */
export const NOW = new Date("2026-11-21T09:30:00.000Z");

/** The migrations that are deployed. */
export const MIGRATIONS: Migration[] = readMigrations(fileURLToPath(new URL("../../functions/sql", import.meta.url)));
