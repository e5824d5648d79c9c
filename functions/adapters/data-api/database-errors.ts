import { DatabaseError, type Disposition } from "../../core/errors.ts";

/** The meaning of a failed database call, which the tables of this file alone decide; the first match counts. */
type Row = { disposition: Disposition; reason: string };

/**
 * By the class of a SQLSTATE, its first two characters. The exception list of `store_batch` (functions/sql) has the same
 * dead-letter classes.
 * @see https://www.postgresql.org/docs/17/errcodes-appendix.html
 */
export const bySqlStateClass: Record<string, Row> = {
  "21": { disposition: "dead-letter", reason: "cardinality_violation" },
  "22": { disposition: "dead-letter", reason: "not_storable" },
  "23": { disposition: "dead-letter", reason: "constraint_violation" },
  "44": { disposition: "dead-letter", reason: "check_option_violation" },
  "54": { disposition: "dead-letter", reason: "program_limit_exceeded" },
  P0: { disposition: "dead-letter", reason: "raised_by_trigger" },
  "08": { disposition: "retry", reason: "connection_failure" },
  "40": { disposition: "retry", reason: "transaction_rollback" },
  "53": { disposition: "retry", reason: "insufficient_resources" },
  "55": { disposition: "retry", reason: "object_not_available" },
  "57": { disposition: "retry", reason: "operator_intervention" },
  "58": { disposition: "retry", reason: "system_error" },
  XX: { disposition: "retry", reason: "internal_database_error" },
  "0A": { disposition: "stop", reason: "feature_not_supported" },
  "25": { disposition: "stop", reason: "invalid_transaction_state" },
  "28": { disposition: "stop", reason: "invalid_authorization" },
  "3D": { disposition: "stop", reason: "invalid_database" },
  "42": { disposition: "stop", reason: "schema_mismatch" },
};

/** A class that is not listed keeps the events and raises the alarm. */
const UNKNOWN_SQLSTATE: Row = { disposition: "stop", reason: "unknown_sqlstate" };

/** A row without a partition has the SQLSTATE of a check violation, but its event is not at fault. */
const MISSING_PARTITION: Row = { disposition: "wait", reason: "missing_partition" };
const MISSING_PARTITION_MESSAGE = /^ERROR: no partition of relation "/;

/**
 * Error names of the SDK: the Data API's modelled errors, its unmodelled `ValidationException`, and JavaScript's.
 * @see https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html (Errors)
 */
const byName: Record<string, Row> = {
  DatabaseResumingException: { disposition: "retry", reason: "database_resuming" },
  StatementTimeoutException: { disposition: "retry", reason: "statement_timeout" },
  DatabaseUnavailableException: { disposition: "retry", reason: "database_unavailable" },
  // Without a SQLSTATE the Data API did not get as far as the statement.
  DatabaseErrorException: { disposition: "retry", reason: "database_error" },
  InternalServerErrorException: { disposition: "retry", reason: "data_api_error" },
  ServiceUnavailableError: { disposition: "retry", reason: "data_api_unavailable" },
  TransactionNotFoundException: { disposition: "retry", reason: "transaction_lost" },
  ThrottlingException: { disposition: "retry", reason: "data_api_throttled" },
  TooManyRequestsException: { disposition: "retry", reason: "data_api_throttled" },
  // The chunk is then halved; no single event is so large.
  RequestEntityTooLargeException: { disposition: "dead-letter", reason: "call_too_large" },
  AccessDeniedException: { disposition: "stop", reason: "access_denied" },
  ForbiddenException: { disposition: "stop", reason: "access_denied" },
  InvalidSecretException: { disposition: "stop", reason: "invalid_secret" },
  SecretsErrorException: { disposition: "stop", reason: "invalid_secret" },
  HttpEndpointNotEnabledException: { disposition: "stop", reason: "data_api_disabled" },
  InvalidResourceStateException: { disposition: "stop", reason: "invalid_resource_state" },
  DatabaseNotFoundException: { disposition: "stop", reason: "database_not_found" },
  NotFoundException: { disposition: "stop", reason: "database_not_found" },
  UnsupportedResultException: { disposition: "stop", reason: "unsupported_result" },
  ValidationException: { disposition: "stop", reason: "invalid_call" },
  BadRequestException: { disposition: "stop", reason: "invalid_call" },
  // A mistake in our own code would otherwise pass for an outage that never ends.
  RangeError: { disposition: "stop", reason: "program_error" },
  ReferenceError: { disposition: "stop", reason: "program_error" },
  TypeError: { disposition: "stop", reason: "program_error" },
};

/** A refusal by a name that is not listed keeps the events and raises the alarm. */
const REFUSED: Row = { disposition: "stop", reason: "call_refused" };

/**
 * The Data API did not answer, or failed: broken sockets, time-outs, aborted calls. Every write is idempotent, so try
 * again.
 */
const UNREACHABLE: Row = { disposition: "retry", reason: "database_unreachable" };

/**
 * The SQLSTATE is read only at the very end of the message: the database's `Detail` quotes user data, which may hold the
 * same text.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.troubleshooting.html
 */
const SQLSTATE_AT_END = /; SQLState: ([0-9A-Z]{5})$/;

/** Translates any error of a Data API call. */
export function toDatabaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const sqlState = SQLSTATE_AT_END.exec(message)?.[1];
  if (sqlState !== undefined) return toSqlError(sqlState, message, error);
  const row = byName[name] ?? (isRefusal(error) ? REFUSED : UNREACHABLE);
  return new DatabaseError({ ...row, detail: message, cause: error });
}

/** A 4xx that waiting does not repair; it does repair 408 and 429. */
function isRefusal(error: unknown): boolean {
  const { httpStatusCode: status = 0 } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** Translates what the database says about one statement or event. */
export function toSqlError(sqlState: string, message: string, cause?: unknown): DatabaseError {
  const missing = sqlState === "23514" && MISSING_PARTITION_MESSAGE.test(message);
  const row = missing ? MISSING_PARTITION : (bySqlStateClass[sqlState.slice(0, 2)] ?? UNKNOWN_SQLSTATE);
  return new DatabaseError({ ...row, sqlState, detail: message, cause });
}
