/** The parts of a CloudFormation template the runtime reads. Values may hold intrinsics: only `resolve.ts` looks inside. */
export type Template = {
  Parameters?: Record<string, { Type?: string; Default?: unknown }>;
  Mappings?: Record<string, Record<string, Record<string, unknown>>>;
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

/** Where the stack is pretended to be deployed. */
export type Environment = {
  stackName: string;
  region: string;
  accountId: string;
  /** Base URL of the local SQS, without a slash at the end: queue URLs are built on it. */
  sqsEndpoint: string;
  /** Values for template parameters; without one, the parameter's default. */
  parameters?: Record<string, string>;
};

/** A template the runtime cannot run as AWS would. The message says where and what to do. */
export class TemplateError extends Error {
  override name = "TemplateError";
}

/** Stands for `AWS::NoValue`: the key or list item that holds it is left out. */
export const NO_VALUE = Symbol("AWS::NoValue");
