import { RemovalPolicy } from "aws-cdk-lib";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { QUERY_MAX_CONCURRENCY } from "../functions/core/function-limits.ts";
import { refuseContradictions } from "./refuse-contradictions.ts";
import type { OwnSettings, Settings } from "./settings.ts";

export type StageConfig = Settings & {
  /** Part of the stack's name. */
  readonly name: string;
};

/** Settings of `sluice.config.json` take the place of these. */
const stages: Record<string, Settings> = {
  dev: {
    databaseRemovalPolicy: RemovalPolicy.DESTROY,
    databaseMinCapacity: 0,
    databaseMaxCapacity: 8,
    databaseAutoPauseMinutes: 5,
    databaseReaders: 0,
    deletionProtection: false,
    queueRemovalPolicy: RemovalPolicy.DESTROY,
    accessRemovalPolicy: RemovalPolicy.DESTROY,
    logRetentionDays: RetentionDays.ONE_MONTH,
    logLevel: "INFO",
    xrayPercent: 1,
    unknownTypes: "accept",
    unknownVersions: "refuse",
    retention: "30d",
    archive: "none",
    dashboard: true,
    objectives: false,
  },
  prod: {
    // A last snapshot. A kept cluster would keep its VPC, and the deletion would stop half-way.
    databaseRemovalPolicy: RemovalPolicy.SNAPSHOT,
    // It never pauses: a read would wait for the resume, some fifteen seconds.
    databaseMinCapacity: 0.5,
    databaseMaxCapacity: 8,
    databaseAutoPauseMinutes: 5,
    databaseReaders: 1,
    deletionProtection: true,
    queueRemovalPolicy: RemovalPolicy.RETAIN,
    accessRemovalPolicy: RemovalPolicy.RETAIN,
    logRetentionDays: RetentionDays.ONE_MONTH,
    logLevel: "INFO",
    xrayPercent: 1,
    unknownTypes: "accept",
    unknownVersions: "refuse",
    retention: "400d",
    archive: "before-drop",
    dashboard: true,
    objectives: true,
    // Not in dev: an account that is new may have no more than ten in all, and AWS then refuses the deployment.
    reservedConcurrency: { query: QUERY_MAX_CONCURRENCY },
  },
};

/**
 * The settings of the stage that the context value `stage` names (`cdk deploy -c stage=prod`).
 * @param own settings of one's own, by stage (settings.ts)
 * @throws Error that names the known stages, or the settings that contradict each other
 */
export function stageConfig(stage: unknown, own: Record<string, OwnSettings> = {}): StageConfig {
  const name = String(stage);
  const { like = name, ...settings } = (Object.hasOwn(own, name) && own[name]) || {};
  const defaults = Object.hasOwn(stages, like) ? stages[like] : undefined;
  if (defaults === undefined) {
    throw new Error(
      `Unknown stage ${JSON.stringify(stage)}. Give one of ${Object.keys(stages).join(", ")} with -c stage=NAME, or make it in sluice.config.json: "${name}": { "like": "prod" }.`,
    );
  }
  const config = { name, ...defaults, ...settings };
  refuseContradictions(config, settings);
  return config;
}
