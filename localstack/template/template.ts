/** The parts of a CloudFormation template that the runtime reads. Only `resolver.ts` looks inside values, which may hold intrinsics. */
export type Template = {
  Conditions?: Record<string, unknown>;
  Resources: Record<string, Resource>;
  Outputs?: Record<string, { Value: unknown; Condition?: string; Export?: { Name: unknown } }>;
};

export type Resource = {
  Type: string;
  Properties?: Record<string, unknown>;
  Condition?: string;
  DependsOn?: string | string[];
  Metadata?: Record<string, unknown>;
};

/** The account and region in which the local stack seems to be deployed. */
export type Environment = {
  stackName: string;
  region: string;
  accountId: string;
  /** Base URL of the local SQS, without a slash at the end: queue URLs are built on it. */
  sqsEndpoint: string;
};

/** A template the runtime cannot run as AWS would. The message says where and what to do. */
export class TemplateError extends Error {
  override name = "TemplateError";
}
