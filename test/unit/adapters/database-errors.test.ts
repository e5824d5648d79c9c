import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bySqlStateClass, toDatabaseError } from "../../../functions/adapters/data-api/database-errors.ts";

const sdkError = (name: string, message = "") => Object.assign(new Error(message), { name });
const sqlError = (sqlState: string, text = "ERROR: it failed") =>
  sdkError("DatabaseErrorException", `${text}; SQLState: ${sqlState}`);

describe("the error table of the database", () => {
  it.each([
    ["22P05", "dead-letter", "not_storable"],
    ["22003", "dead-letter", "not_storable"],
    ["23502", "dead-letter", "constraint_violation"],
    ["21000", "dead-letter", "cardinality_violation"],
    ["54001", "dead-letter", "program_limit_exceeded"],
    ["08006", "retry", "connection_failure"],
    ["40001", "retry", "transaction_rollback"],
    ["40P01", "retry", "transaction_rollback"],
    ["53100", "retry", "insufficient_resources"],
    ["53300", "retry", "insufficient_resources"],
    ["55P03", "retry", "object_not_available"],
    ["57P01", "retry", "operator_intervention"],
    ["57014", "retry", "operator_intervention"],
    ["58030", "retry", "system_error"],
    ["XX000", "retry", "internal_database_error"],
    ["25006", "stop", "invalid_transaction_state"],
    ["28P01", "stop", "invalid_authorization"],
    ["3D000", "stop", "invalid_database"],
    ["42P01", "stop", "schema_mismatch"],
    ["44000", "dead-letter", "check_option_violation"],
    ["P0001", "dead-letter", "raised_by_trigger"],
    ["0A000", "stop", "feature_not_supported"],
    ["2F002", "stop", "unknown_sqlstate"],
    ["38000", "stop", "unknown_sqlstate"],
    ["HV000", "stop", "unknown_sqlstate"],
  ])("maps SQLSTATE %s to %s: %s", (sqlState, disposition, reason) => {
    expect(toDatabaseError(sqlError(sqlState))).toMatchObject({ disposition, reason, sqlState });
  });

  it.each([
    ["DatabaseErrorException", "retry", "database_error"],
    ["DatabaseResumingException", "retry", "database_resuming"],
    ["StatementTimeoutException", "retry", "statement_timeout"],
    ["DatabaseUnavailableException", "retry", "database_unavailable"],
    ["InternalServerErrorException", "retry", "data_api_error"],
    ["ServiceUnavailableError", "retry", "data_api_unavailable"],
    ["TransactionNotFoundException", "retry", "transaction_lost"],
    ["ThrottlingException", "retry", "data_api_throttled"],
    ["TooManyRequestsException", "retry", "data_api_throttled"],
    ["RequestEntityTooLargeException", "dead-letter", "call_too_large"],
    ["AccessDeniedException", "stop", "access_denied"],
    ["ForbiddenException", "stop", "access_denied"],
    ["InvalidSecretException", "stop", "invalid_secret"],
    ["SecretsErrorException", "stop", "invalid_secret"],
    ["HttpEndpointNotEnabledException", "stop", "data_api_disabled"],
    ["InvalidResourceStateException", "stop", "invalid_resource_state"],
    ["DatabaseNotFoundException", "stop", "database_not_found"],
    ["NotFoundException", "stop", "database_not_found"],
    ["UnsupportedResultException", "stop", "unsupported_result"],
    ["ValidationException", "stop", "invalid_call"],
    ["BadRequestException", "stop", "invalid_call"],
    ["RangeError", "stop", "program_error"],
    ["ReferenceError", "stop", "program_error"],
    ["TypeError", "stop", "program_error"],
    ["TimeoutError", "retry", "database_unreachable"],
    ["AbortError", "retry", "database_unreachable"],
  ])("maps %s to %s: %s", (name, disposition, reason) => {
    expect(toDatabaseError(sdkError(name, "text"))).toMatchObject({ disposition, reason, sqlState: undefined });
  });

  it("lets an event wait for its missing partition, though it has the SQLSTATE of a check violation", () => {
    const missing = sqlError(
      "23514",
      'ERROR: no partition of relation "events" found for row\n  Detail: Partition key of the failing row contains (received_at) = (2020-01-01 00:00:00+00).',
    );

    expect(toDatabaseError(missing)).toMatchObject({ disposition: "wait", reason: "missing_partition" });
    expect(
      toDatabaseError(sqlError("23514", 'ERROR: new row for relation "events" violates check constraint "c"')),
    ).toMatchObject({ disposition: "dead-letter" });
  });

  it("reads the SQLSTATE only at the end, because the detail before it quotes user data", () => {
    const forged = sqlError(
      "22P02",
      "ERROR: invalid input syntax\n  Detail: Key (id)=(x; SQLState: 57P01) already exists.",
    );

    expect(toDatabaseError(forged)).toMatchObject({ disposition: "dead-letter", sqlState: "22P02" });
  });

  it("does not take a quoted no-partition text for a missing partition", () => {
    const forged = sqlError(
      "23514",
      'ERROR: new row violates check constraint\n  Detail: Failing row contains (ERROR: no partition of relation "events").',
    );

    expect(toDatabaseError(forged)).toMatchObject({ disposition: "dead-letter" });
  });

  it.each([
    [403, "stop", "call_refused"],
    [400, "stop", "call_refused"],
    [429, "retry", "database_unreachable"],
    [408, "retry", "database_unreachable"],
    [500, "retry", "database_unreachable"],
  ])("maps an unlisted name with status %i to %s: %s", (httpStatusCode, disposition, reason) => {
    const error = Object.assign(sdkError("ExpiredTokenException"), { $metadata: { httpStatusCode } });

    expect(toDatabaseError(error)).toMatchObject({ disposition, reason });
  });
});

describe("the exception list of store_blocks", () => {
  /** Classes by their condition name: https://www.postgresql.org/docs/17/errcodes-appendix.html */
  const classOf: Record<string, string> = {
    cardinality_violation: "21",
    data_exception: "22",
    integrity_constraint_violation: "23",
    with_check_option_violation: "44",
    program_limit_exceeded: "54",
    plpgsql_error: "P0",
  };

  it("has exactly the SQLSTATE classes that the error table dead-letters", () => {
    const folder = "functions/sql";
    const definitions = readdirSync(folder)
      .toSorted()
      .map(
        (name) => readFileSync(`${folder}/${name}`, "utf8").split(/create (?:or replace )?function store_blocks\(/)[1],
      );
    const sql = definitions.findLast((each) => each !== undefined) ?? "";
    const [, list = ""] = /exception\s+when ([a-z_\s]+?)\s+then/.exec(sql) ?? [];

    const deadLettered = Object.entries(bySqlStateClass).filter(([, { disposition }]) => disposition === "dead-letter");
    const caught = list.split(/\s+or\s+/).map((name) => String(classOf[name]));
    expect(caught.toSorted()).toEqual(deadLettered.map(([name]) => name).toSorted());
  });
});
