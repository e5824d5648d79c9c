import { RemovalPolicy } from "aws-cdk-lib";
import type { CommonEnvironment, IngestEnvironment } from "../functions/adapters/lambda/environment.ts";

/** The settings that differ between the stages. Everything else is the same in all of them. */
export type StageConfig = {
  /** Part of the stack's name. */
  readonly name: string;
  /** The fate of the database when the stack is deleted. */
  readonly databaseRemovalPolicy: RemovalPolicy;
  /** The fate of the queues, and of the events in them, when the stack is deleted. */
  readonly queueRemovalPolicy: RemovalPolicy;
  readonly deletionProtection: boolean;
  /** The treatment of events whose type is not in the catalog. */
  readonly unknownTypes: IngestEnvironment["UNKNOWN_TYPES"];
  /** Address that AWS sends every alarm to, once its owner has confirmed the subscription. @default nobody */
  readonly alarmEmail?: string;
  readonly logLevel: CommonEnvironment["LOG_LEVEL"];
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
    // A last snapshot. A kept cluster would keep its VPC, and the deletion would stop half-way.
    databaseRemovalPolicy: RemovalPolicy.SNAPSHOT,
    queueRemovalPolicy: RemovalPolicy.RETAIN,
    deletionProtection: true,
    unknownTypes: "accept",
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
