import { createHash } from "node:crypto";
import type { Environment } from "./template.ts";

/** The longest names that AWS accepts where CloudFormation generates the name. Everything else: 64. */
const MAXIMUM_LENGTHS: Record<string, number> = {
  "AWS::DynamoDB::Table": 255,
  "AWS::Logs::LogGroup": 512,
  "AWS::S3::Bucket": 63,
  "AWS::SQS::Queue": 80,
  "AWS::SecretsManager::Secret": 512,
};
const DEFAULT_MAXIMUM_LENGTH = 64;
const HASH_LENGTH = 12;

/**
 * The name of a resource that the template leaves unnamed. CloudFormation generates `stack-LogicalId-RANDOM`; here the
 * random part is the same on every start, so that a queue keeps its messages.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
 */
export function physicalName(environment: Environment, type: string, logicalId: string): string {
  const length = MAXIMUM_LENGTHS[type] ?? DEFAULT_MAXIMUM_LENGTH;
  const suffix = stableId(environment, logicalId, HASH_LENGTH).toUpperCase();
  const readable = `${environment.stackName}-${logicalId}`.slice(0, length - HASH_LENGTH - 1);
  return `${readable}-${suffix}`;
}

/** The UUID in the stack's id, which is the same on every start. */
export function stableUuid({ stackName }: Environment): string {
  const digest = createHash("sha256").update(stackName).digest("hex");
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

/** A resource's id in lower-case characters and digits, as a REST API has one. */
export function stableId(environment: Environment, logicalId: string, length: number): string {
  const digest = createHash("sha256").update(`${environment.stackName}/${logicalId}`).digest("hex");
  return BigInt(`0x${digest}`).toString(36).slice(0, length);
}
