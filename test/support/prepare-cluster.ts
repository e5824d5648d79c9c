import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../../localstack/postgres/postgres.ts";
import { makeDataDir } from "./cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The data directory that `clonePreparedCluster` copies. */
    preparedCluster: string;
  }
}

/** Makes one PostgreSQL cluster for the whole run, with an empty database `events`; tests start from copies of it. */
export default async function prepareCluster({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  if ("preparedCluster" in vitest.getProvidedContext()) return undefined;
  const folder = await makeDataDir();
  const postgres = await startPostgres({ dataDir: folder.path, databaseName: "events" });
  await postgres.stop();
  // It only matters when the machine itself fails. A crash of PostgreSQL keeps what was written.
  await appendFile(join(postgres.dataDir, "cluster", "postgresql.auto.conf"), "fsync = off\n");
  vitest.provide("preparedCluster", postgres.dataDir);
  return folder.remove;
}
