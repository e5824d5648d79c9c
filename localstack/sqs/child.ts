/**
 * The SQS process: fauxqs on the loopback interface, with its messages in SQLite. `sqs.ts` starts it and
 * talks to it over the IPC channel. It ends when that channel closes, so it never outlives the runtime.
 *
 * It ignores the signals that a terminal sends to every process of the foreground group: on Ctrl-C the runtime stops its
 * parts in order, and the queue must run until the last batch is acknowledged.
 *
 * Durability: SQLite in WAL mode with `synchronous = FULL` (its default, checked by a test): an answered send, delete or
 * visibility change is on disk, so killing this process at any point loses nothing that was acknowledged.
 */
import { type App, loadFauxqs } from "./fauxqs.ts";
import type { FromChild, ToChild } from "./protocol.ts";
import { pointUrlsAt, reconcileQueues } from "./reconcile.ts";
import { repairFauxqs } from "./repair-fauxqs.ts";
import { startLocalServer } from "../start-local-server.ts";

for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("SIGTERM", () => void stop());
process.on("disconnect", () => void stop());
process.on("message", (message: ToChild) => {
  void (message.kind === "stop" ? stop() : start(message).catch(fail));
});

let app: App | undefined;

async function start(options: Extract<ToChild, { kind: "start" }>): Promise<void> {
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

  app = fauxqs.buildApp({ logger: false, defaultRegion: options.region, stores: { sqsStore } });
  app.addHook("onClose", async () => persistence.close());
  const notes = reconcileQueues(sqsStore, options.queues);
  await app.ready();
  const { port } = await startLocalServer(app.server, { port: options.port });
  pointUrlsAt(sqsStore, `http://127.0.0.1:${port}`);
  send({ kind: "ready", port, notes });
}

async function stop(): Promise<void> {
  await app?.close();
  process.exit(0);
}

function fail(error: unknown): void {
  const { message, code } = error as NodeJS.ErrnoException;
  if (process.connected) process.send?.({ kind: "failed", code, message } satisfies FromChild, () => process.exit(1));
  else process.exit(1);
}

function send(message: FromChild): void {
  if (process.connected) process.send?.(message);
}
