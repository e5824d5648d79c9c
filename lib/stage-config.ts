import { RemovalPolicy } from "aws-cdk-lib";

/** The settings that differ between the stages. Everything else is the same in all of them. */
export type StageConfig = {
  /** Part of the stack's name. */
  readonly name: string;
  /** What CloudFormation does with the database when the stack is deleted. */
  readonly databaseRemovalPolicy: RemovalPolicy;
  /** What CloudFormation does with the queues and the events in them when the stack is deleted. */
  readonly queueRemovalPolicy: RemovalPolicy;
  readonly deletionProtection: boolean;
  /** Whether ingest accepts events whose type is not in the catalog. Their data is not checked. */
  readonly unknownTypes: "accept" | "refuse";
  /**
   * Whether ingest accepts events of a type in the catalog with another `dataschema` than its versions have. Their data is
   * not checked, so a typo in `dataschema` would switch the check off.
   */
  readonly unknownVersions: "accept" | "refuse";
  /** Address that AWS sends every alarm to, once its owner has confirmed the subscription. @default nobody */
  readonly alarmEmail?: string;
  readonly logLevel: "DEBUG" | "INFO" | "WARN" | "ERROR";
};

/** Chosen by the context value `stage`: `cdk deploy -c stage=prod`. */
const stages: Record<string, Omit<StageConfig, "name">> = {
  dev: {
    databaseRemovalPolicy: RemovalPolicy.DESTROY,
    queueRemovalPolicy: RemovalPolicy.DESTROY,
    deletionProtection: false,
    unknownTypes: "accept",
    unknownVersions: "refuse",
    logLevel: "INFO",
  },
  prod: {
    // A last snapshot. A kept cluster would keep its VPC, and the deletion would stop half-way.
    databaseRemovalPolicy: RemovalPolicy.SNAPSHOT,
    queueRemovalPolicy: RemovalPolicy.RETAIN,
    deletionProtection: true,
    unknownTypes: "accept",
    unknownVersions: "refuse",
    logLevel: "INFO",
  },
};

/** @throws Error that names the known stages */
export function stageConfig(name: unknown): StageConfig {
  if (typeof name !== "string" || !Object.hasOwn(stages, name)) {
    throw new Error(
      `Unknown stage ${JSON.stringify(name)}. Give one of ${Object.keys(stages).join(", ")} with -c stage=NAME.`,
    );
  }
  return { name, ...(stages[name] as Omit<StageConfig, "name">) };
}
