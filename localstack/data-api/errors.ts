import type { DatabaseError } from "pg";

/** An error response. The SDK derives the error's class or name from `type`. */
export class DataApiError extends Error {
  readonly type: ErrorType;
  /** Members besides `message`, for example `dbConnectionId`. */
  readonly members: Record<string, unknown>;

  constructor(type: ErrorType, message = "", members: Record<string, unknown> = {}) {
    super(message);
    this.type = type;
    this.members = members;
  }

  get status(): number {
    return STATUS[this.type];
  }
}

export const invalid = (message: string): DataApiError => new DataApiError("ValidationException", message);

/**
 * The Data API's error for a failure of PostgreSQL or of the connection to it. The message of a statement's error has
 * these parts in this order: message, Detail, Hint, Position, SQLState; the SQLSTATE always ends the text.
 * (Forms as captured from Aurora by https://github.com/tmokmss/aurora-data-api-proxy, src/dataapi.rs.)
 */
export function fromPostgres(error: unknown): DataApiError {
  if (error instanceof DataApiError) return error;
  if (!isDatabaseError(error) || LOST_CONNECTION.test(error.code)) {
    return new DataApiError("DatabaseUnavailableException");
  }
  if (error.code === "42601" && error.message.includes("multiple commands into a prepared statement")) {
    return invalid("Multistatements aren't supported");
  }
  const detail = error.detail === undefined ? "" : `\n  Detail: ${error.detail}`;
  const hint = error.hint === undefined ? "" : `; Hint: ${error.hint}`;
  const position = error.position === undefined ? "" : `; Position: ${error.position}`;
  const text = `${error.severity ?? "ERROR"}: ${error.message}${detail}${hint}${position}; SQLState: ${error.code}`;
  return new DataApiError("DatabaseErrorException", text);
}

type Refusal = DatabaseError & { code: string };

/** Errors of the socket have codes too (`ECONNRESET`); only the server's errors have a severity. */
function isDatabaseError(error: unknown): error is Refusal {
  return error instanceof Error && "severity" in error && "code" in error && typeof error.code === "string";
}

/** Class 08, and the server shutting down, crashing or starting: https://www.postgresql.org/docs/17/errcodes-appendix.html */
const LOST_CONNECTION = /^(08...|57P0[1-3])$/;

export type ErrorType = keyof typeof STATUS;

/**
 * Status of each class in the service's model (package @aws-sdk/client-rds-data 3.1143.0), then the classes outside the
 * model: validation and serialization, throttling, the bare internal failure, and a request that is too large.
 */
const STATUS = {
  DatabaseErrorException: 400,
  DatabaseResumingException: 400,
  InvalidResourceStateException: 400,
  InvalidSecretException: 400,
  SecretsErrorException: 400,
  StatementTimeoutException: 400,
  UnsupportedResultException: 400,
  HttpEndpointNotEnabledException: 400,
  AccessDeniedException: 403,
  ForbiddenException: 403,
  DatabaseNotFoundException: 404,
  NotFoundException: 404,
  TransactionNotFoundException: 404,
  InternalServerErrorException: 500,
  ServiceUnavailableError: 503,
  DatabaseUnavailableException: 504,

  SerializationException: 400,
  ThrottlingException: 400,
  ValidationException: 400,
  UnknownOperationException: 404,
  RequestEntityTooLargeException: 413,
  InternalFailure: 500,
} as const;

export const isErrorType = (text: string): text is ErrorType => Object.hasOwn(STATUS, text);
