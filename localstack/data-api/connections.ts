import { Client, Pool, type PoolClient } from "pg";
import { connectionSettings } from "../postgres/connection-settings.ts";
import { fromPostgres } from "./errors.ts";
import { CONNECT_TIMEOUT_MS, MAX_CONNECTIONS } from "./limits.ts";

/** A connection in use. `pending` settles with its last statement, which may be after the response. */
export type Lease = { readonly client: PoolClient; readonly backendPid: number; pending: Promise<unknown> };

export type Connections = {
  /** @throws DataApiError DatabaseUnavailableException if none is free in time */
  acquire(): Promise<Lease>;
  /** Resets the session (no setting, temporary table or lock survives) and returns the connection to the pool. */
  release(lease: Lease): Promise<void>;
  /** Asks PostgreSQL to cancel the running statement of a connection; does nothing if it cannot be reached. */
  cancel(lease: Lease): Promise<void>;
  /** Drops every connection, whatever runs on it. */
  close(): Promise<void>;
};

/** A pool of connections that survives restarts of PostgreSQL: a broken one is dropped, the next call opens another. */
export function openConnections(databaseUrl: string): Connections {
  const config = {
    ...connectionSettings(databaseUrl),
    application_name: "sluice data api",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  const pool = new Pool({ ...config, max: MAX_CONNECTIONS });
  const leases = new Set<Lease>();
  // The pool drops the connection. Without listeners the error of an idle or used connection would end the process.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));

  const giveBack = (lease: Lease, broken: boolean) => {
    if (leases.delete(lease)) lease.client.release(broken);
  };

  return {
    async acquire() {
      const client = await pool.connect().catch((error: unknown) => {
        throw fromPostgres(error);
      });
      const lease: Lease = { client, backendPid: backendPid(client), pending: Promise.resolve() };
      leases.add(lease);
      return lease;
    },
    async release(lease) {
      try {
        await lease.pending;
        await lease.client.query("discard all");
        giveBack(lease, false);
      } catch {
        giveBack(lease, true);
      }
    },
    async cancel({ backendPid }) {
      const client = new Client({ ...config, connectionTimeoutMillis: CANCEL_TIMEOUT_MS });
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
      for (const lease of leases) giveBack(lease, true);
      await pool.end();
    },
  };
}

/** In pg, not in its types. */
const backendPid = (client: PoolClient): number => (client as unknown as { processID: number }).processID;

const CANCEL_TIMEOUT_MS = 2_000;
