import { setTimeout as delay } from "node:timers/promises";
import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  type Field,
  RDSDataClient,
  RollbackTransactionCommand,
  type SqlParameter,
} from "@aws-sdk/client-rds-data";
import { STATEMENT_CLIENT_TIMEOUT_SECONDS } from "../../core/database-limits.ts";
import type { ExecuteSql, SqlDatabase, SqlValue } from "../../core/ports.ts";
import type { openAhead } from "../lambda/open-connection.ts";
import { toDatabaseError } from "./database-errors.ts";

/** A database paused at 0 ACU takes about 15 s to resume; a call asks again this often. */
const RESUME_POLL_MS = 1_000;

/** The time of a rollback, also after the deadline; less than the reserve that every function keeps for its answer. */
const ROLLBACK_MIN_MS = 500;

/**
 * The RDS Data API for one database. Every failure leaves as a DatabaseError with its disposition; a paused database
 * (`DatabaseResumingException`, which the SDK does not retry) is waited for until the deadline.
 * @param open opens a connection at once, for which the first statement waits; it runs no statement. @default the first statement does
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
 */
export function createDataApi(
  database: { CLUSTER_ARN: string; SECRET_ARN: string; DATABASE_NAME: string },
  open?: typeof openAhead,
): SqlDatabase {
  const client = new RDSDataClient({
    requestHandler: {
      requestTimeout: STATEMENT_CLIENT_TIMEOUT_SECONDS * 1_000,
      // Without it the SDK logs a warning and waits on.
      throwOnRequestTimeout: true,
      connectionTimeout: 3_000,
    },
  });
  const target = { resourceArn: database.CLUSTER_ARN, secretArn: database.SECRET_ARN };
  const opening = open?.(client, new ExecuteStatementCommand({ ...target, sql: "" }));

  async function call<T>(send: (abortSignal: AbortSignal) => Promise<T>, deadline: number): Promise<T> {
    // A second connection beside one that is being opened would take longer.
    await opening;
    for (;;) {
      try {
        return await send(AbortSignal.timeout(Math.max(deadline - Date.now(), 1)));
      } catch (error) {
        const fault = toDatabaseError(error);
        if (fault.reason !== "database_resuming" || Date.now() + RESUME_POLL_MS > deadline) throw fault;
        await delay(RESUME_POLL_MS);
      }
    }
  }

  const execute =
    (transactionId?: string): ExecuteSql =>
    async (sql, parameters, deadline) => {
      const command = new ExecuteStatementCommand({
        ...target,
        database: database.DATABASE_NAME,
        sql,
        parameters: Object.entries(parameters).map(toParameter),
        transactionId,
      });
      const answer = await call((abortSignal) => client.send(command, { abortSignal }), deadline);
      return {
        rows: (answer.records ?? []).map((row) => row.map(toValue)),
        updated: answer.numberOfRecordsUpdated ?? 0,
      };
    };

  return {
    execute: execute(),
    async transaction(work, deadline) {
      const begin = new BeginTransactionCommand({ ...target, database: database.DATABASE_NAME });
      const { transactionId } = await call((abortSignal) => client.send(begin, { abortSignal }), deadline);
      const id = { resourceArn: target.resourceArn, secretArn: target.secretArn, transactionId };
      try {
        const result = await work(execute(transactionId));
        await call((abortSignal) => client.send(new CommitTransactionCommand(id), { abortSignal }), deadline);
        return result;
      } catch (error) {
        // The first error is the one to report; an unfinished transaction ends by itself after three minutes.
        const abortSignal = AbortSignal.timeout(Math.max(deadline - Date.now(), ROLLBACK_MIN_MS));
        await client.send(new RollbackTransactionCommand(id), { abortSignal }).catch(() => undefined);
        throw error;
      }
    },
  };
}

function toParameter([name, value]: [string, string | null]): SqlParameter {
  return { name, value: value === null ? { isNull: true } : { stringValue: value } };
}

/** @throws TypeError for arrays and binary, which no statement of ours selects */
function toValue(field: Field): SqlValue {
  const value = field.isNull ? null : (field.stringValue ?? field.longValue ?? field.doubleValue ?? field.booleanValue);
  if (value === undefined) throw new TypeError(`Unsupported result field: ${Object.keys(field).join(", ")}`);
  return value;
}
