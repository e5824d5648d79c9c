import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { startPostgres, type Postgres } from "../../localstack/postgres/postgres.ts";
import type { TemporaryFolder } from "./temporary-folder.ts";

/** A place for a PostgreSQL data directory, which a start there makes. */
export async function makeDataDir(): Promise<TemporaryFolder> {
  const parent = await mkdtemp(join(tmpdir(), "sluice-test-"));
  return { path: join(parent, "postgres"), remove: () => removeDataDir(parent) };
}

/** Deletes a folder with a data directory in `postgres`, and the folder elsewhere that root's start linked it to. */
export async function removeDataDir(parent: string): Promise<void> {
  const path = join(parent, "postgres");
  if (existsSync(path)) await rm(await realpath(path), { recursive: true });
  await rm(parent, { recursive: true, force: true });
}

/** Copies the cluster that was prepared for this run (prepare-cluster.ts) to a new data directory. */
export function clonePreparedCluster(dataDir: string): Promise<void> {
  return copyCluster(inject("preparedCluster"), dataDir);
}

/** Copies the data directory of a PostgreSQL that does not run. */
export async function copyCluster(from: string, to: string): Promise<void> {
  // As root it keeps the owner, as whom PostgreSQL runs.
  await promisify(execFile)("cp", ["-Rp", from, to]);
}

export type TestCluster = { postgres: Postgres; dataDir: string; remove(): Promise<void> };

/** A PostgreSQL of its own for one test file, with an empty database `events`; by default a clone of the prepared one. */
export async function startCluster({ prepared = true } = {}): Promise<TestCluster> {
  const folder = await makeDataDir();
  if (prepared) await clonePreparedCluster(folder.path);
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
