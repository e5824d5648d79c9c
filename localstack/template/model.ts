/**
 * The stack that the local runtime runs, as read from the synthesized CloudFormation template with every intrinsic
 * resolved. `read-stack.ts` creates it.
 */
export type StackModel = {
  functions: FunctionModel[];
  queues: QueueModel[];
  api: ApiModel;
  eventSources: EventSourceModel[];
  schedules: ScheduleModel[];
  /** Functions that CloudFormation invokes once per deployment, in order (the migrations). */
  triggers: TriggerModel[];
  database: DatabaseModel;
  /** CloudFormation outputs by their export name, or by their key in the template where they have none. */
  outputs: Record<string, string>;
};

export type FunctionModel = {
  logicalId: string;
  name: string;
  arn: string;
  /** Lambda's `file.export`, for example `index.handler`. */
  handler: string;
  /** Absolute path of the bundled asset folder. */
  assetPath: string;
  timeoutSeconds: number;
  memoryMegabytes: number;
  environment: Record<string, string>;
  reservedConcurrency: number | undefined;
};

export type QueueModel = {
  logicalId: string;
  name: string;
  arn: string;
  visibilityTimeoutSeconds: number;
  messageRetentionSeconds: number;
  maximumMessageSizeBytes: number | undefined;
  /** Default `WaitTimeSeconds` of a receive. */
  receiveWaitSeconds: number;
  /** Seconds before a new message becomes visible. */
  delaySeconds: number;
  redrive: { deadLetterArn: string; maxReceiveCount: number } | undefined;
};

export type ApiModel = {
  name: string;
  restApiId: string;
  stageName: string;
  routes: RouteModel[];
  /** Media types that API Gateway passes on base64-encoded, for example all of them. */
  binaryMediaTypes: string[];
  gatewayResponses: GatewayResponseModel[];
};

export type RouteModel = {
  /** Upper-case HTTP method, or `ANY`. */
  method: string;
  /** Resource path with parameters in braces, for example `/events/{id}`. */
  path: string;
  functionArn: string;
};

export type GatewayResponseModel = {
  /** API Gateway's response type, for example `MISSING_AUTHENTICATION_TOKEN`, `DEFAULT_4XX`. */
  type: string;
  statusCode: number | undefined;
  /** Literal values by header name, without the quotes of the mapping syntax. */
  headers: Record<string, string>;
  /** Content type to body template; `$context.error.messageString` and its kind are filled in per request. */
  templates: Record<string, string>;
};

export type EventSourceModel = {
  queueArn: string;
  functionArn: string;
  /** Records per invocation, 1 to 10,000. */
  batchSize: number;
  windowSeconds: number;
  /** The most invocations at once; undefined = Lambda's own scaling. */
  maximumConcurrency: number | undefined;
  reportBatchItemFailures: boolean;
};

export type ScheduleModel = {
  name: string;
  /** The rule's ARN; scheduled events carry it. */
  arn: string;
  /** EventBridge expression, for example `rate(1 day)`. */
  expression: string;
  functionArn: string;
  /** Constant JSON input, or undefined for the scheduled event itself. */
  input: string | undefined;
};

export type TriggerModel = { name: string; functionArn: string; timeoutSeconds: number };

export type DatabaseModel = { clusterArn: string; secretArn: string; databaseName: string };
