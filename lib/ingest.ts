import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { CommonEnvironment, IngestEnvironment } from "../functions/adapters/lambda/environment.ts";
import { INGEST_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import type { EventQueue } from "./event-queue.ts";
import type { StageConfig } from "./stage-config.ts";
import { SluiceFunction } from "./sluice-function.ts";

export type IngestProps = {
  readonly stage: StageConfig;
  readonly common: CommonEnvironment;
  readonly events: EventQueue;
};

/** Receives events and puts them into the queue. It needs no database. */
export class Ingest extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, common, events }: IngestProps) {
    super(scope, id);
    const handler = new SluiceFunction<IngestEnvironment>(this, "Function", {
      name: "ingest",
      timeoutSeconds: INGEST_TIMEOUT_SECONDS,
      environment: {
        ...common,
        QUEUE_URL: events.queue.queueUrl,
        UNKNOWN_TYPES: stage.unknownTypes,
        UNKNOWN_VERSIONS: stage.unknownVersions,
      },
    });
    events.queue.grantSendMessages(handler);
    this.function = handler;
  }
}
