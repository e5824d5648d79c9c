import * as z from "zod";
import { DataApiError, invalid } from "./errors.ts";
import { MAX_SQL_CHARACTERS } from "./limits.ts";

/**
 * The request bodies of the operations.
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_Operations.html
 */
export type SqlParameter = z.infer<typeof sqlParameter>;
export type ExecuteRequest = z.infer<typeof REQUESTS.ExecuteStatement>;
export type Operation = keyof typeof REQUESTS;
export type RequestOf<O extends Operation> = z.infer<(typeof REQUESTS)[O]>;

/** @throws DataApiError SerializationException for a body that is not JSON or not Unicode, ValidationException for a wrong member */
export function parseRequest<O extends Operation>(operation: O, body: string): RequestOf<O> {
  let json: unknown;
  try {
    json = JSON.parse(body, refuseLoneSurrogate);
  } catch {
    throw new DataApiError("SerializationException", "The request body is not valid JSON");
  }
  const parsed = REQUESTS[operation].safeParse(json);
  if (!parsed.success) throw invalid(parsed.error.issues.map(describeIssue).join("; "));
  return parsed.data as RequestOf<O>;
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${message} (at ${path.join(".")})`;
}

/** JavaScript would change a lone surrogate to U+FFFD on its way to PostgreSQL; AWS cannot read it at all. */
function refuseLoneSurrogate(_key: string, value: unknown): unknown {
  if (typeof value === "string" && !value.isWellFormed()) throw new Error("lone surrogate");
  return value;
}

/** A member of AWS's model that no statement of Sluice sends: sending it is an error, so that nobody relies on it here. */
const unsupported = (member: string) => z.undefined(`The local Data API does not support ${member}`).optional();

const float = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]);

/** A union in AWS's model: exactly one member. */
const field = z
  .strictObject({
    isNull: z.literal(true).optional(),
    booleanValue: z.boolean().optional(),
    longValue: z.int("is no integer that JavaScript keeps exactly").optional(),
    doubleValue: float.optional(),
    stringValue: z.string().optional(),
    blobValue: unsupported("blobValue"),
    arrayValue: z.undefined("Array parameters are not supported").optional(),
  })
  .refine((value) => Object.keys(value).length === 1, "must have exactly one member");

const sqlParameter = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_]+$/, "Named parameter syntax is invalid"),
  value: field,
  typeHint: unsupported("typeHint: cast in the SQL instead"),
});

/**
 * The API reference states at most 100 characters, but the secret that RDS makes for a managed master password
 * (`secret:rds!cluster-UUID-SUFFIX`) has an ARN of 107, and it works with the Data API; 2,048 is the bound of any ARN.
 */
const arn = z.string().min(11).max(2_048);
const credentials = { resourceArn: arn, secretArn: arn };
const noSchema = z.undefined("Database schema name parameter isn't supported").optional();
const database = z.string().max(64).optional();
/** NUL would end the text early on the wire to PostgreSQL. */
const sql = z
  .string()
  .min(1)
  .max(MAX_SQL_CHARACTERS)
  .regex(/^[^\0]*$/, "contains a NUL character");
const transactionId = z.string().min(1).max(192);
const end = z.strictObject({ ...credentials, transactionId });

const REQUESTS = {
  ExecuteStatement: z.strictObject({
    ...credentials,
    sql,
    database,
    schema: noSchema,
    parameters: z.array(sqlParameter).default([]),
    transactionId: transactionId.optional(),
    includeResultMetadata: unsupported("includeResultMetadata"),
    continueAfterTimeout: unsupported("continueAfterTimeout"),
    resultSetOptions: unsupported("resultSetOptions"),
    formatRecordsAs: z.enum(["NONE", "JSON"]).default("NONE"),
  }),
  BeginTransaction: z.strictObject({ ...credentials, database, schema: noSchema }),
  CommitTransaction: end,
  RollbackTransaction: end,
};
