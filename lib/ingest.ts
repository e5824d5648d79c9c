import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { CommonEnvironment, IngestEnvironment } from "../functions/adapters/lambda/environment.ts";
import { INGEST_TIMEOUT_SECONDS } from "../functions/core/limits.ts";
import type { EventApi } from "./api.ts";
import type { EventQueue } from "./event-queue.ts";
import type { StageConfig } from "./stage-config.ts";
import { SluiceFunction } from "./sluice-function.ts";

export type IngestProps = {
  readonly stage: StageConfig;
  readonly common: CommonEnvironment;
  readonly api: EventApi;
  readonly events: EventQueue;
};

/** The door: `POST /events` to the queue. It needs no database. */
export class Ingest extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, common, api, events }: IngestProps) {
    super(scope, id);
    const handler = new SluiceFunction<IngestEnvironment>(this, "Function", {
      name: "ingest",
      timeoutSeconds: INGEST_TIMEOUT_SECONDS,
      environment: { ...common, QUEUE_URL: events.queue.queueUrl, UNKNOWN_TYPES: stage.unknownTypes },
    });
    events.queue.grantSendMessages(handler);
    api.route("POST", "events", handler);
    this.function = handler;
  }
}
