import { StoreError, type StoreVerdict } from "../core/errors.ts";

/** The one table that decides what a failed database call means (decision D5). First match wins. */
type Row = { verdict: StoreVerdict; reason: string };

/**
 * The class of a SQLSTATE: its first two characters.
 * @see https://www.postgresql.org/docs/17/errcodes-appendix.html
 */
const bySqlState: Record<string, Row> = {
  "21": { verdict: "dead-letter", reason: "cardinality_violation" },
  "22": { verdict: "dead-letter", reason: "not_storable" },
  "23": { verdict: "dead-letter", reason: "constraint_violation" },
  "44": { verdict: "dead-letter", reason: "check_option_violation" },
  "54": { verdict: "dead-letter", reason: "program_limit_exceeded" },
  P0: { verdict: "dead-letter", reason: "raised_by_trigger" },
  "08": { verdict: "retry", reason: "connection_failure" },
  "40": { verdict: "retry", reason: "transaction_rollback" },
  "53": { verdict: "retry", reason: "insufficient_resources" },
  "55": { verdict: "retry", reason: "object_not_available" },
  "57": { verdict: "retry", reason: "operator_intervention" },
  "58": { verdict: "retry", reason: "system_error" },
  XX: { verdict: "retry", reason: "internal_database_error" },
  "0A": { verdict: "stop", reason: "feature_not_supported" },
  "25": { verdict: "stop", reason: "invalid_transaction_state" },
  "28": { verdict: "stop", reason: "invalid_authorization" },
  "3D": { verdict: "stop", reason: "invalid_database" },
  "42": { verdict: "stop", reason: "schema_mismatch" },
};

/** A class that is not listed is one nobody thought of: keep the events and call somebody. */
const UNKNOWN_SQLSTATE: Row = { verdict: "stop", reason: "unknown_sqlstate" };

/** A row without a partition has the SQLSTATE of a check violation, but the event is not at fault. */
const MISSING_PARTITION: Row = { verdict: "wait", reason: "missing_partition" };
const MISSING_PARTITION_MESSAGE = /^ERROR: no partition of relation "/;

/**
 * Error names of the SDK: the Data API's modelled errors, its unmodelled `ValidationException`, and JavaScript's.
 * @see https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html (Errors)
 */
const byName: Record<string, Row> = {
  DatabaseResumingException: { verdict: "retry", reason: "database_resuming" },
  StatementTimeoutException: { verdict: "retry", reason: "statement_timeout" },
  DatabaseUnavailableException: { verdict: "retry", reason: "database_unavailable" },
  // Without a SQLSTATE the Data API did not get as far as the statement.
  DatabaseErrorException: { verdict: "retry", reason: "database_error" },
  InternalServerErrorException: { verdict: "retry", reason: "data_api_error" },
  ServiceUnavailableError: { verdict: "retry", reason: "data_api_unavailable" },
  TransactionNotFoundException: { verdict: "retry", reason: "transaction_lost" },
  ThrottlingException: { verdict: "retry", reason: "data_api_throttled" },
  TooManyRequestsException: { verdict: "retry", reason: "data_api_throttled" },
  // The chunk is then halved; no event alone is so large.
  RequestEntityTooLargeException: { verdict: "dead-letter", reason: "call_too_large" },
  AccessDeniedException: { verdict: "stop", reason: "access_denied" },
  ForbiddenException: { verdict: "stop", reason: "access_denied" },
  InvalidSecretException: { verdict: "stop", reason: "invalid_secret" },
  SecretsErrorException: { verdict: "stop", reason: "invalid_secret" },
  HttpEndpointNotEnabledException: { verdict: "stop", reason: "data_api_disabled" },
  InvalidResourceStateException: { verdict: "stop", reason: "invalid_resource_state" },
  DatabaseNotFoundException: { verdict: "stop", reason: "database_not_found" },
  NotFoundException: { verdict: "stop", reason: "database_not_found" },
  UnsupportedResultException: { verdict: "stop", reason: "unsupported_result" },
  ValidationException: { verdict: "stop", reason: "invalid_call" },
  BadRequestException: { verdict: "stop", reason: "invalid_call" },
  // Not the network's but ours: without this it would pass for an outage that never ends.
  RangeError: { verdict: "stop", reason: "program_error" },
  ReferenceError: { verdict: "stop", reason: "program_error" },
  TypeError: { verdict: "stop", reason: "program_error" },
};

/** A refusal by a name nobody thought of: keep the events and call somebody. */
const REFUSED: Row = { verdict: "stop", reason: "call_refused" };

/** No answer of the Data API, or a failure of its own: sockets that broke, time-outs, aborted calls. Every write is idempotent, so try again. */
const UNREACHABLE: Row = { verdict: "retry", reason: "database_unreachable" };

/**
 * Only at the very end of the message: the database's `Detail` quotes user data, which may itself hold such a text.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.troubleshooting.html
 */
const SQLSTATE_AT_END = /; SQLState: ([0-9A-Z]{5})$/;

/** Translates whatever a Data API call threw. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const sqlState = SQLSTATE_AT_END.exec(message)?.[1];
  if (sqlState !== undefined) return toSqlError(sqlState, message, error);
  const row = byName[name] ?? (isRefusal(error) ? REFUSED : UNREACHABLE);
  return new StoreError({ ...row, detail: message, cause: error });
}

/** Answered with a 4xx that no waiting mends; 408 and 429 are mended so. */
function isRefusal(error: unknown): boolean {
  const { httpStatusCode: status = 0 } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** Translates what the database said of one statement or event. */
export function toSqlError(sqlState: string, message: string, cause?: unknown): StoreError {
  const missing = sqlState === "23514" && MISSING_PARTITION_MESSAGE.test(message);
  const row = missing ? MISSING_PARTITION : (bySqlState[sqlState.slice(0, 2)] ?? UNKNOWN_SQLSTATE);
  return new StoreError({ ...row, sqlState, detail: message, cause });
}
