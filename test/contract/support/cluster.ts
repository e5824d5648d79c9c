import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, type Postgres } from "../../../localstack/postgres/postgres.ts";

export type TestFolder = { path: string; remove(): Promise<void> };

/** A PostgreSQL data directory for one test file. */
export async function makeDataDir(): Promise<TestFolder> {
  const parent = await mkdtemp(join(tmpdir(), "sluice-test-"));
  return { path: join(parent, "postgres"), remove: () => removeDataDir(parent) };
}

/** Deletes a folder with a data directory in `postgres`, and what root's start put elsewhere and linked to. */
export async function removeDataDir(parent: string): Promise<void> {
  const path = join(parent, "postgres");
  if (existsSync(path)) await rm(await realpath(path), { recursive: true });
  await rm(parent, { recursive: true, force: true });
}

export type TestCluster = { postgres: Postgres; dataDir: string; remove(): Promise<void> };

/** A PostgreSQL of its own for one test file, with an empty database `events`. */
export async function startCluster(): Promise<TestCluster> {
  const folder = await makeDataDir();
  const postgres = await startPostgres({ dataDir: folder.path, databaseName: "events" });
  return {
    postgres,
    dataDir: folder.path,
    async remove() {
      await postgres.stop("immediate");
      await folder.remove();
    },
  };
}
