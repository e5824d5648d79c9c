import type { ReceiveMetrics } from "./lambda/forward-lines.ts";
import type { StackFunctions } from "./lambda/stack-functions.ts";
import type { StackModel } from "./template/model.ts";

export type RuntimeOptions = {
  /** Folder for everything that outlives a stop: database, messages, the synthesized app. */
  dataDir: string;
  /** The folder of the synthesized app (default: in the data folder); runs that share it share one synthesis. */
  assemblyDir?: string;
  /** Port of the API; undefined takes a free one. */
  port?: number;
  /** An address where the API listens besides the loopback ones, without TLS: keys and events can be read on the way there. */
  host?: string | undefined;
  /** Deletes what the folder holds before the start. */
  fresh?: boolean;
  /** Lets subscriptions deliver to addresses of this machine, without TLS. */
  allowHttpSinks?: boolean;
  /** A receiver of OTLP over HTTP, to which the functions send their spans. */
  otlpEndpoint?: string | undefined;
  /** Rebuilds and reloads the functions when their sources change. */
  watch?: boolean;
  /** Ends an unfinished start; without effect on a runtime that has started. */
  signal?: AbortSignal;
  /** Gets log lines; they never hold payloads. */
  log?: (line: string) => void;
  /** For fault tests and benchmarks. */
  testHooks?: TestHooks;
};

/** Hooks between the parts, for fault tests and benchmarks. */
type TestHooks = {
  /** Starts a proxy in front of the queue and returns its URL, which functions, event source and commands then use. */
  queueFront?: (endpoint: string) => Promise<string>;
  /** The same in front of the Data API, used by the functions. */
  dataApiFront?: (endpoint: string) => Promise<string>;
  /** The same in front of DynamoDB, used by the functions. */
  dynamodbFront?: (endpoint: string) => Promise<string>;
  /** The same in front of S3, used by the functions. */
  s3Front?: (endpoint: string) => Promise<string>;
  /** Gets the duration of each invocation of a function, in milliseconds. */
  invoked?: (functionName: string, milliseconds: number) => void;
  /** The most processes of a function at once. */
  maxProcesses?: number;
  /** Gets the functions' lines that have metrics for CloudWatch. */
  metrics?: ReceiveMetrics;
  /** Changes the model of the template, for example to visibility timeouts of seconds. */
  alter?: (stack: StackModel) => StackModel;
  /** Gets the functions once they run, to reload them with other code. */
  functions?: (functions: Pick<StackFunctions, "reload">) => void;
};
