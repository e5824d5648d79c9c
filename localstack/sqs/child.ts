/**
 * The SQS process: fauxqs on the loopback interface, with its messages in SQLite. `sqs.ts` starts it.
 *
 * Durability: SQLite in WAL mode with `synchronous = FULL` (its default, checked by a test): an answered send, delete or
 * visibility change is on disk, so killing this process at any point loses nothing that was acknowledged. Requests that wait
 * at the same time share one flush (commit-together.ts).
 */
import { serveParent } from "../parent-channel.ts";
import { startLocalServer } from "../start-local-server.ts";
import { loadFauxqs } from "./fauxqs.ts";
import { pointUrlsAt, reconcileQueues } from "./reconcile.ts";
import { repairFauxqs } from "./repair-fauxqs.ts";
import type { SqsOptions } from "./sqs.ts";

serveParent(async (options: Omit<SqsOptions, "log">) => {
  const fauxqs = await loadFauxqs();
  repairFauxqs(fauxqs);
  const persistence = new fauxqs.PersistenceManager(options.dataDir);
  persistence.db.exec("PRAGMA locking_mode = EXCLUSIVE");
  if (options.releaseInFlight) {
    persistence.db.exec("UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL");
  }
  const sqsStore = new fauxqs.SqsStore();
  // Without a host, URLs have the address that a client called. `sqs.<region>.localhost` does not resolve everywhere.
  sqsStore.host = "";
  persistence.loadSqsQueues(sqsStore);
  sqsStore.persistence = persistence;
  for (const queue of sqsStore.allQueues()) queue.persistence = persistence;

  const app = fauxqs.buildApp({ logger: false, defaultRegion: options.region, stores: { sqsStore } });
  app.addHook("onClose", async () => persistence.close());
  const notes = reconcileQueues(sqsStore, options.queues);
  await app.ready();
  const { port } = await startLocalServer(app.server, { port: options.port ?? 0 });
  pointUrlsAt(sqsStore, `http://127.0.0.1:${port}`);
  return { port, notes, stop: () => app.close() };
});
