/**
 * The stack that the local runtime runs, as read from the synthesized CloudFormation template with every intrinsic
 * resolved. `read-stack.ts` creates it.
 */
export type StackModel = {
  functions: FunctionModel[];
  queues: QueueModel[];
  tables: TableModel[];
  buckets: BucketModel[];
  secrets: SecretModel[];
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
  /** Metric filters of its log group. */
  metricFilters: MetricFilterModel[];
};

/** A rule of CloudWatch Logs that makes a datapoint of each line of a log group that it matches. */
export type MetricFilterModel = {
  logGroup: string;
  /** A line matches where this member is a number, and at least so much. */
  matches: { member: string; least: number };
  namespace: string;
  name: string;
  /** The member that has the value. */
  value: string;
  /** Members by the dimension that has their value. */
  dimensions: Record<string, string>;
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

/** A DynamoDB table that is billed by the request. */
export type TableModel = {
  logicalId: string;
  name: string;
  arn: string;
  key: TableKey;
  globalIndexes: TableIndex[];
  /** The attribute with the time, in seconds since 1970, from which an item may be deleted. */
  expiryAttribute: string | undefined;
};

export type TableKey = { hash: KeyAttribute; range?: KeyAttribute | undefined };

/** Text, number or binary. */
export type KeyAttribute = { name: string; type: "S" | "N" | "B" };

export type TableIndex = {
  name: string;
  key: TableKey;
  /** The attributes that the index has besides the keys of table and index. */
  attributes: "all" | string[];
};

/** A private bucket of S3. */
export type BucketModel = {
  logicalId: string;
  name: string;
  /** Objects whose key begins with `prefix` are deleted after so many days. */
  expirations: { prefix: string; days: number }[];
  /** Multipart uploads that are not completed after so many days are ended. */
  abortUploadsAfterDays: number | undefined;
};

export type SecretModel = {
  logicalId: string;
  name: string;
  arn: string;
  description: string | undefined;
  value: { kind: "given"; text: string } | ({ kind: "generated" } & GeneratedText);
  /** The function that rotates it. Its schedule does not run on this machine. */
  rotation: { functionArn: string } | undefined;
};

/** Rules of Secrets Manager for a random text, by their meaning. */
export type GeneratedText = {
  length: number;
  /** Characters that the text does not have. */
  excluded: string;
  lowercase: boolean;
  uppercase: boolean;
  numbers: boolean;
  punctuation: boolean;
  space: boolean;
  /** Whether each kind of characters is there at least once. */
  everyKind: boolean;
  /** A JSON object, in which the text becomes the member with this key. */
  inside: { template: string; key: string } | undefined;
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
