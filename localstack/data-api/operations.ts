import { bindParameters, type BoundStatement } from "./bind-parameters.ts";
import type { Clock } from "../clock.ts";
import type { Connections, Lease } from "./connections.ts";
import { DataApiError, fromPostgres, invalid } from "./errors.ts";
import type { FaultSwitch } from "./faults.ts";
import { STATEMENT_TIMEOUT_MS } from "./limits.ts";
import type { ExecuteRequest, Operation, RequestOf } from "./parse-request.ts";
import { executeResponse } from "./execute-response.ts";
import { leadingWords } from "./scan-sql.ts";
import { runStatement } from "./run-statement.ts";
import { type Credentials, credentialsOf, type ReadSecret } from "./secrets.ts";
import type { Transactions } from "./transactions.ts";

/** One function an operation, from its request to the body of the response. @throws DataApiError */
export type Operations = { [O in Operation]: (request: RequestOf<O>) => Promise<Record<string, unknown>> };

type Deps = {
  connections: Connections;
  transactions: Transactions;
  faults: FaultSwitch;
  clock: Clock;
  resources: { clusterArn: string; databaseName: string; readSecret: ReadSecret };
};

export function createOperations({ connections, transactions, faults, clock, resources }: Deps): Operations {
  /** Outside a transaction each call has a separate connection, whose session ends with the call. */
  const onConnection = async <T>(
    { transactionId, secretArn }: ExecuteRequest,
    credentials: Credentials,
    work: (lease: Lease) => Promise<T>,
  ): Promise<T> => {
    if (transactionId !== undefined) return transactions.use(transactionId, secretArn, work);
    const lease = await connections.acquire(credentials);
    let released: Promise<void> | undefined;
    try {
      return await work(lease);
    } catch (error) {
      // A cancelled statement keeps its connection until it has ended; the caller does not wait for that.
      if (isTimeout(error)) released = connections.release(lease);
      throw error;
    } finally {
      if (released === undefined) await connections.release(lease);
    }
  };

  const run = async (lease: Lease, statement: BoundStatement) => {
    const running = runStatement(lease.client, statement);
    lease.pending = running.catch(() => undefined);
    let stopTimer: () => void = () => undefined;
    const timeout = new Promise<"timeout">((resolve) => {
      stopTimer = clock.after(STATEMENT_TIMEOUT_MS, () => resolve("timeout"));
    });
    try {
      const outcome = await Promise.race([running, timeout]);
      if (outcome !== "timeout") return outcome;
      await connections.cancel(lease);
      throw new DataApiError("StatementTimeoutException", TIMED_OUT, { dbConnectionId: lease.backendPid });
    } catch (error) {
      throw fromPostgres(error);
    } finally {
      stopTimer();
    }
  };

  /** The login that a request's secret gives, in the cluster that it names. */
  const logIn = (request: { resourceArn: string; secretArn: string }): Promise<Credentials> => {
    checkCluster(request.resourceArn, resources);
    return credentialsOf(resources.readSecret, request.secretArn);
  };

  return {
    ExecuteStatement: async (request) => {
      const credentials = await logIn(request);
      checkStatement(request, resources);
      const bound = bindParameters(request.sql, request.parameters);
      const refusal = faults.takeRefusal(request.parameters, "ExecuteStatement");
      const statement = refusal === undefined ? bound : raise(refusal.sqlState);
      const result = await onConnection(request, credentials, (lease) => run(lease, statement));
      return executeResponse(result, request.formatRecordsAs);
    },
    BeginTransaction: async (request) => {
      const credentials = await logIn(request);
      checkDatabase(request.database, resources);
      return { transactionId: await transactions.begin(request.secretArn, credentials) };
    },
    CommitTransaction: async (request) => {
      await logIn(request);
      await transactions.end(request.transactionId, request.secretArn, "commit");
      return { transactionStatus: "Transaction Committed" };
    },
    RollbackTransaction: async (request) => {
      await logIn(request);
      await transactions.end(request.transactionId, request.secretArn, "rollback");
      return { transactionStatus: "Rollback Complete" };
    },
  };
}

function checkStatement(request: ExecuteRequest, resources: Deps["resources"]): void {
  if (request.transactionId === undefined || request.database !== undefined) checkDatabase(request.database, resources);
  const [first = "", second, third] = leadingWords(request.sql);
  if (first === "") throw invalid("The SQL has no statement");
  if (first === "copy") throw new DataApiError("DatabaseErrorException", "unexpected message: CopyOutResponse");
  const isSavepoint = first === "rollback" && (second === "to" || (second !== undefined && third === "to"));
  if (TRANSACTION_CONTROL.has(first) && !isSavepoint) {
    throw invalid(`Transactions are begun and ended by separate calls, not by SQL: ${first}`);
  }
  if (first === "start" || (first === "prepare" && second === "transaction")) {
    throw invalid(`Transactions are begun and ended by separate calls, not by SQL: ${first} ${second ?? ""}`);
  }
}

/** The error class of a wrong ARN follows the descriptions in the service's model. */
function checkCluster(resourceArn: string, { clusterArn }: Deps["resources"]): void {
  if (resourceArn === clusterArn) return;
  throw new DataApiError("NotFoundException", `DBCluster ${resourceArn} not found`);
}

/** AWS falls back to a default database. Here the name is required, because that default is not ours. */
function checkDatabase(database: string | undefined, { databaseName }: Deps["resources"]): void {
  if (database === undefined || database === "") throw invalid("Database name is not provided");
  if (database === databaseName) return;
  throw new DataApiError("DatabaseErrorException", `FATAL: database "${database}" does not exist; SQLState: 3D000`);
}

/** A statement that fails with this SQLSTATE, so that the session ends up as after any other refused statement. */
function raise(sqlState: string): BoundStatement {
  const text = `do $$ begin raise exception 'refused by an injected fault' using errcode = '${sqlState}'; end $$`;
  return { text, types: [], values: [] };
}

const isTimeout = (error: unknown): boolean =>
  error instanceof DataApiError && error.type === "StatementTimeoutException";

const TIMED_OUT = `The SQL statement timed out after ${STATEMENT_TIMEOUT_MS / 1000} seconds`;

/** AWS does not document what these do in a statement. Refusing them keeps the transaction as the caller expects it. */
const TRANSACTION_CONTROL = new Set(["abort", "begin", "commit", "end", "rollback"]);
