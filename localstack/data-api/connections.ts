import { Client, Pool, type PoolClient, type PoolConfig } from "pg";
import { connectionSettings } from "../postgres/connection-settings.ts";
import { DataApiError, fromPostgres } from "./errors.ts";
import { CONNECT_TIMEOUT_MS, MAX_CONNECTIONS } from "./limits.ts";
import { createPlaces } from "./places.ts";
import type { Credentials } from "./secrets.ts";

/** A connection in use. `pending` settles with its last statement, which may be after the response. */
export type Lease = {
  readonly client: PoolClient;
  readonly backendPid: number;
  readonly credentials: Credentials;
  pending: Promise<unknown>;
};

export type Connections = {
  /**
   * A connection of this user, who logged in with this password.
   * @throws DataApiError DatabaseUnavailableException if none is free in time, or what PostgreSQL says about the login
   */
  acquire(credentials: Credentials): Promise<Lease>;
  /** Resets the session (no setting, temporary table or lock survives) and returns the connection to the pool. */
  release(lease: Lease): Promise<void>;
  /** Asks PostgreSQL to cancel the running statement of a connection; does nothing if it cannot be reached. */
  cancel(lease: Lease): Promise<void>;
  /** Drops every connection, whatever runs on it. */
  close(): Promise<void>;
};

/**
 * A pool for each user and password, so that a password that is no longer right fails at the next call, as on AWS. All
 * pools together lend MAX_CONNECTIONS, and keep at most as many for later. They survive restarts of PostgreSQL: a broken
 * connection is dropped, the next call opens another.
 */
export function openConnections(databaseUrl: string): Connections {
  const config = {
    ...connectionSettings(databaseUrl),
    application_name: "sluice data api",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  const places = createPlaces(MAX_CONNECTIONS);
  const pools = new Map<string, Pool>();
  const leases = new Set<Lease>();
  let closed = false;

  const configOf = ({ username, password }: Credentials): PoolConfig => ({ ...config, user: username, password });

  const poolOf = (credentials: Credentials): Pool => {
    const key = JSON.stringify([credentials.username, credentials.password]);
    const known = pools.get(key);
    if (known !== undefined) return known;
    const pool = new Pool({ ...configOf(credentials), max: MAX_CONNECTIONS });
    // The pool drops the connection. Without listeners the error of an idle or used connection would end the process.
    pool.on("error", () => undefined);
    pool.on("connect", (client) => client.on("error", () => undefined));
    pools.set(key, pool);
    return pool;
  };

  const giveBack = (lease: Lease, broken: boolean) => {
    if (!leases.delete(lease)) return;
    // Idle connections of other users would otherwise add up.
    const open = [...pools.values()].reduce((total, { totalCount }) => total + totalCount, 0);
    lease.client.release(broken || open > MAX_CONNECTIONS);
    places.giveBack();
  };

  return {
    async acquire(credentials) {
      if (!(await places.take(CONNECT_TIMEOUT_MS))) throw new DataApiError("DatabaseUnavailableException");
      try {
        if (closed) throw new DataApiError("DatabaseUnavailableException");
        const client = await poolOf(credentials).connect();
        const lease: Lease = { client, backendPid: backendPid(client), credentials, pending: Promise.resolve() };
        leases.add(lease);
        return lease;
      } catch (error) {
        places.giveBack();
        throw fromPostgres(error);
      }
    },
    async release(lease) {
      try {
        await lease.pending;
        await lease.client.query(RESET);
        giveBack(lease, false);
      } catch {
        giveBack(lease, true);
      }
    },
    async cancel({ backendPid, credentials }) {
      const client = new Client({ ...configOf(credentials), connectionTimeoutMillis: CANCEL_TIMEOUT_MS });
      client.on("error", () => undefined);
      try {
        await client.connect();
        await client.query("select pg_cancel_backend($1)", [backendPid]);
      } catch {
        // The database cannot be reached, so the statement ends with its connection.
      } finally {
        await client.end();
      }
    },
    async close() {
      closed = true;
      for (const lease of leases) giveBack(lease, true);
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}

/**
 * `discard all` but for the plans of statements in functions, which no caller sees. To make them costs the database half of a short
 * call's time. https://www.postgresql.org/docs/17/sql-discard.html
 */
const RESET = `close all; set session authorization default; reset all; deallocate all; unlisten *;
  select pg_advisory_unlock_all(); discard temp; discard sequences`;

/** In pg, not in its types. */
const backendPid = (client: PoolClient): number => (client as unknown as { processID: number }).processID;

const CANCEL_TIMEOUT_MS = 2_000;
