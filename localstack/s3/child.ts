/**
 * The S3 process: fauxqs on the loopback interface, with its objects in SQLite. `s3.ts` starts it.
 *
 * Durability: SQLite in WAL mode with `synchronous = FULL` (its default): an object that was acknowledged is on disk, whole,
 * so killing this process at any point loses nothing and leaves no half of an object.
 */
import { serveParent } from "../parent-channel.ts";
import { startLocalServer } from "../start-local-server.ts";
import { loadFauxqs } from "./fauxqs.ts";
import { guard } from "./guard.ts";
import { prepareBuckets } from "./prepare-buckets.ts";
import type { S3Options } from "./s3.ts";

serveParent(async ({ dataDir, port = 0, buckets }: Omit<S3Options, "log">) => {
  const fauxqs = await loadFauxqs();
  const persistence = new fauxqs.PersistenceManager(dataDir);
  persistence.db.exec("PRAGMA locking_mode = EXCLUSIVE");
  const s3Store = new fauxqs.S3Store();
  persistence.loadS3(s3Store);
  s3Store.persistence = persistence;
  const notes = prepareBuckets(s3Store, buckets, new Date());

  const app = fauxqs.buildApp({ logger: false, stores: { s3Store } });
  guard(app, fauxqs);
  app.addHook("onClose", async () => persistence.close());
  await app.ready();
  const { port: actual } = await startLocalServer(app.server, { port });
  return { port: actual, notes, stop: () => app.close() };
});
