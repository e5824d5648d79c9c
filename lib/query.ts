import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { CommonEnvironment, QueryEnvironment } from "../functions/adapters/lambda/environment.ts";
import { QUERY_TIMEOUT_SECONDS } from "../functions/core/limits.ts";
import type { EventApi } from "./api.ts";
import { databaseEnvironment, type Database } from "./database.ts";
import { SluiceFunction } from "./sluice-function.ts";

export type QueryProps = {
  readonly common: CommonEnvironment;
  readonly api: EventApi;
  readonly database: Database;
};

/** Reading: `GET /events/{id}` from the database, and `GET /health`. */
export class Query extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { common, api, database }: QueryProps) {
    super(scope, id);
    const handler = new SluiceFunction<QueryEnvironment>(this, "Function", {
      name: "query",
      timeoutSeconds: QUERY_TIMEOUT_SECONDS,
      environment: { ...common, ...databaseEnvironment(database) },
    });
    database.grantDataApi(handler, ["ExecuteStatement"]);
    api.route("GET", "events/{id}", handler);
    api.route("GET", "health", handler);
    this.function = handler;
  }
}
