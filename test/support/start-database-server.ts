import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../../localstack/postgres/postgres.ts";
import { copyCluster, makeDataDir } from "./cluster.ts";
import prepareCluster from "./prepare-cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    databaseServer: {
      /** Of the role that may create databases. */
      superuserUrl: string;
      /** Of the role that owns the databases of tests. */
      ownerUrl: string;
    };
  }
}

/** Runs one PostgreSQL for all test files that need a database and leave the server itself alone. */
export default async function startDatabaseServer(project: TestProject): Promise<() => Promise<void>> {
  const removePrepared = await prepareCluster(project);
  const folder = await makeDataDir();
  await copyCluster(project.getProvidedContext().preparedCluster, folder.path);
  const postgres = await startPostgres({ dataDir: folder.path, databaseName: "events" });
  const superuser = new URL(postgres.url);
  superuser.username = "postgres";
  superuser.password = (await readFile(join(postgres.dataDir, "password"), "utf8")).trim();
  superuser.pathname = "/postgres";
  project.provide("databaseServer", { superuserUrl: superuser.href, ownerUrl: postgres.url });
  return async () => {
    await postgres.stop("immediate");
    await folder.remove();
    await removePrepared?.();
  };
}
