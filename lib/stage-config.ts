import { RemovalPolicy } from "aws-cdk-lib";

/** What differs between the stages of deployment. Everything else is the same in all of them. */
export type StageConfig = {
  /** Name of the stage, part of the stack's name. */
  readonly name: string;
  /** What happens to the database when the stack is deleted. */
  readonly databaseRemovalPolicy: RemovalPolicy;
  /** What happens to the queues and the events in them. */
  readonly queueRemovalPolicy: RemovalPolicy;
  readonly deletionProtection: boolean;
  /** What to do with events whose type is not in the catalog. */
  readonly unknownTypes: "accept" | "refuse";
  readonly logLevel: "DEBUG" | "INFO" | "WARN" | "ERROR";
};

/** Chosen by the context value `stage`: `cdk deploy -c stage=prod`. */
const stages: Record<string, Omit<StageConfig, "name">> = {
  dev: {
    databaseRemovalPolicy: RemovalPolicy.DESTROY,
    queueRemovalPolicy: RemovalPolicy.DESTROY,
    deletionProtection: false,
    unknownTypes: "accept",
    logLevel: "INFO",
  },
  prod: {
    // A last snapshot, and not the cluster itself: that would keep its VPC, and the deletion would stop half-way.
    databaseRemovalPolicy: RemovalPolicy.SNAPSHOT,
    queueRemovalPolicy: RemovalPolicy.RETAIN,
    deletionProtection: true,
    unknownTypes: "accept",
    logLevel: "INFO",
  },
};

/** @throws Error that names the stages there are */
export function stageConfig(name: unknown): StageConfig {
  if (typeof name !== "string" || !Object.hasOwn(stages, name)) {
    throw new Error(
      `Unknown stage ${JSON.stringify(name)}. Give one of ${Object.keys(stages).join(", ")} with -c stage=NAME.`,
    );
  }
  return { name, ...(stages[name] as Omit<StageConfig, "name">) };
}
