import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Connections, Lease } from "./connections.ts";
import { DataApiError, fromPostgres } from "./errors.ts";
import { TRANSACTION_IDLE_MS, TRANSACTION_LIFETIME_MS } from "./limits.ts";
import type { Credentials } from "./secrets.ts";

/**
 * A transaction belongs to the secret that began it. AWS does not document what another secret finds; here it finds
 * nothing.
 */
export type Transactions = {
  /** Opens one and returns its id. */
  begin(secretArn: string, credentials: Credentials): Promise<string>;
  /** Runs work on a transaction's connection. @throws DataApiError if it is unknown, over, or still runs a statement */
  use<T>(id: string, secretArn: string, work: (lease: Lease) => Promise<T>): Promise<T>;
  /** @throws DataApiError 25P02 for a commit after a failed statement, which PostgreSQL would roll back without an error */
  end(id: string, secretArn: string, how: "commit" | "rollback"): Promise<void>;
};

type Open = {
  lease: Lease;
  secretArn: string;
  busy: boolean;
  startedAt: number;
  stopTimer: () => void;
  onLost: () => void;
};

/**
 * Transactions by id. One without a call for 3 minutes is rolled back, and so is one older than 24 hours.
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_BeginTransaction.html
 */
export function createTransactions(connections: Connections, clock: Clock): Transactions {
  const open = new Map<string, Open>();

  const forget = (id: string, { lease, stopTimer, onLost }: Open) => {
    stopTimer();
    lease.client.off("end", onLost);
    open.delete(id);
  };

  const close = async (id: string, transaction: Open, sql: "commit" | "rollback") => {
    const { lease } = transaction;
    forget(id, transaction);
    try {
      await lease.pending;
      const { command } = await lease.client.query(sql);
      if (command.toLowerCase() !== sql) throw new DataApiError("DatabaseErrorException", ABORTED);
    } catch (error) {
      throw fromPostgres(error);
    } finally {
      await connections.release(lease);
    }
  };

  const waitForNextCall = (id: string, transaction: Open) => {
    const age = clock.now() - transaction.startedAt;
    transaction.stopTimer = clock.after(Math.min(TRANSACTION_IDLE_MS, TRANSACTION_LIFETIME_MS - age), () => {
      close(id, transaction, "rollback").catch(() => undefined);
    });
  };

  /** Stops a transaction's timer for the duration of a call. */
  const enter = (id: string, secretArn: string): Open => {
    const transaction = open.get(id);
    if (transaction?.secretArn !== secretArn)
      throw new DataApiError("TransactionNotFoundException", `Transaction ${id} is not found`);
    if (transaction.busy) throw new DataApiError("DatabaseErrorException", "Transaction is still running a query");
    transaction.busy = true;
    transaction.stopTimer();
    return transaction;
  };

  const leave = (id: string, transaction: Open) => {
    transaction.busy = false;
    if (open.get(id) === transaction) waitForNextCall(id, transaction);
  };

  return {
    async begin(secretArn, credentials) {
      const lease = await connections.acquire(credentials);
      try {
        await lease.client.query("begin");
      } catch (error) {
        await connections.release(lease);
        throw fromPostgres(error);
      }
      const id = randomBytes(96).toString("base64");
      const onLost = () => {
        forget(id, transaction);
        void connections.release(lease);
      };
      const transaction: Open = {
        lease,
        secretArn,
        busy: false,
        startedAt: clock.now(),
        stopTimer: () => undefined,
        onLost,
      };
      open.set(id, transaction);
      lease.client.on("end", onLost);
      waitForNextCall(id, transaction);
      return id;
    },
    async use(id, secretArn, work) {
      const transaction = enter(id, secretArn);
      try {
        return await work(transaction.lease);
      } finally {
        // A statement that runs on after its timeout keeps the transaction busy.
        void transaction.lease.pending.finally(() => leave(id, transaction));
      }
    },
    async end(id, secretArn, how) {
      await close(id, enter(id, secretArn), how);
    },
  };
}

const ABORTED =
  "ERROR: current transaction is aborted, commands ignored until end of transaction block; SQLState: 25P02";
