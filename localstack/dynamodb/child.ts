/**
 * The DynamoDB process: dynalite on the loopback interface, with its items in LevelDB. `dynamodb.ts` starts it.
 *
 * It is a process of its own, because dynalite throws whatever its store throws, which ends the process.
 *
 * Durability: LevelDB gives each change to the operating system before it is answered, and does not wait for the disk. A
 * kill of this process at any point loses nothing that was answered; a crash of the machine may lose the last changes.
 */
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serveParent } from "../parent-channel.ts";
import { startLocalServer } from "../start-local-server.ts";
import { createDynalite, openStore } from "./dynalite.ts";
import type { DynamodbOptions } from "./dynamodb.ts";
import { prepareTables } from "./prepare-tables.ts";

serveParent(async ({ dataDir, port = 0, tables }: Omit<DynamodbOptions, "log">) => {
  const inUse = join(dataDir, "in-use");
  await mkdir(dataDir, { recursive: true });
  const store = await openStore(join(dataDir, "leveldb"));
  const repairIndexes = existsSync(inUse);
  await writeFile(inUse, String(process.pid));
  const notes =
    tables === undefined ? [] : await prepareTables(store, tables, { now: Date.now() / 1_000, repairIndexes });
  const server = createDynalite(store);
  const listening = await startLocalServer(server, { port });
  return {
    port: listening.port,
    notes,
    stop: async () => {
      server.closeIdleConnections();
      await listening.close();
      await rm(inUse);
    },
  };
});
