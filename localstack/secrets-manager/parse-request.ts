import * as z from "zod";
import { invalidParameter, SecretsManagerError } from "./errors.ts";

export type Operation = keyof typeof REQUESTS;
export type RequestOf<O extends Operation> = z.output<(typeof REQUESTS)[O]>;

export const isOperation = (name: string): name is Operation => Object.hasOwn(REQUESTS, name);

/** @throws SecretsManagerError SerializationException for a body that is not JSON, InvalidParameterException for a wrong member */
export function parseRequest<O extends Operation>(operation: O, body: string): RequestOf<O> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new SecretsManagerError("SerializationException", "The request body is not valid JSON");
  }
  const parsed = REQUESTS[operation].safeParse(json);
  if (!parsed.success) throw invalidParameter(parsed.error.issues.map(describeIssue).join("; "));
  return parsed.data as RequestOf<O>;
}

/** The message names the member and never its value, which may be secret. */
function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${message} (at ${path.join(".")})`;
}

/** A member of AWS's model that Sluice does not send: sending it is an error, so that nobody relies on it here. */
const unsupported = (member: string) => z.undefined(`The local Secrets Manager does not support ${member}`).optional();

const secretId = z.string().min(1).max(2_048);
/** A version's id is the token of the request that made it. */
const token = z.string().min(32, "must be 32-64 characters long").max(64, "must be 32-64 characters long");
const stage = z.string().min(1).max(256);

/** Bytes of UTF-8: docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MAX_SECRET_BYTES = 65_536;

/**
 * The request bodies of the operations.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
 */
const REQUESTS = {
  GetSecretValue: z.strictObject({ SecretId: secretId, VersionId: token.optional(), VersionStage: stage.optional() }),
  DescribeSecret: z.strictObject({ SecretId: secretId }),
  PutSecretValue: z.strictObject({
    SecretId: secretId,
    ClientRequestToken: token,
    SecretString: z
      .string("You must provide SecretString.")
      .min(1)
      .refine((text) => Buffer.byteLength(text) <= MAX_SECRET_BYTES, `is larger than ${MAX_SECRET_BYTES} bytes`),
    SecretBinary: unsupported("SecretBinary"),
    VersionStages: z.array(stage).min(1).max(20).optional(),
    RotationToken: z.string().min(36).max(256).optional(),
  }),
  UpdateSecretVersionStage: z.strictObject({
    SecretId: secretId,
    VersionStage: stage,
    MoveToVersionId: token.optional(),
    RemoveFromVersionId: token.optional(),
  }),
  RotateSecret: z.strictObject({
    SecretId: secretId,
    ClientRequestToken: token,
    RotateImmediately: z
      .literal(true, "The local Secrets Manager rotates at once: a schedule does not run here")
      .optional(),
    RotationLambdaARN: unsupported("RotationLambdaARN: the template has it"),
    RotationRules: unsupported("RotationRules: the template has them"),
    ExternalSecretRotationMetadata: unsupported("ExternalSecretRotationMetadata"),
    ExternalSecretRotationRoleArn: unsupported("ExternalSecretRotationRoleArn"),
  }),
};
