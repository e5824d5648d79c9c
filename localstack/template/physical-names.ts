import { createHash } from "node:crypto";
import type { Environment } from "./template.ts";

/** Longest names AWS takes, where CloudFormation makes the name. Everything else: 64. */
const MAXIMUM_LENGTHS: Record<string, number> = { "AWS::SQS::Queue": 80, "AWS::Logs::LogGroup": 512 };
const DEFAULT_MAXIMUM_LENGTH = 64;
const HASH_LENGTH = 12;

/**
 * The name CloudFormation would make for a resource without one: `stack-LogicalId-RANDOM`, but the same on every start,
 * so that a queue finds its messages again.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
 */
export function physicalName(environment: Environment, type: string, logicalId: string): string {
  const length = MAXIMUM_LENGTHS[type] ?? DEFAULT_MAXIMUM_LENGTH;
  const suffix = stableId(environment, logicalId, HASH_LENGTH).toUpperCase();
  const readable = `${environment.stackName}-${logicalId}`.slice(0, length - HASH_LENGTH - 1);
  return `${readable}-${suffix}`;
}

/** Lower-case letters and digits that stand for a resource, for ids such as a REST API's. */
export function stableId(environment: Environment, logicalId: string, length: number): string {
  const digest = createHash("sha256").update(`${environment.stackName}/${logicalId}`).digest("hex");
  return BigInt(`0x${digest}`).toString(36).slice(0, length);
}

/** The kind of id EC2 gives, for example `vpc-0a1b2c3d`. */
export function stableHexId(environment: Environment, logicalId: string, length: number): string {
  return createHash("sha256").update(`${environment.stackName}/${logicalId}`).digest("hex").slice(0, length);
}
