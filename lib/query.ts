import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { CommonEnvironment, QueryEnvironment } from "../functions/adapters/lambda/environment.ts";
import { QUERY_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { type Database, databaseEnvironment } from "./database.ts";
import { SluiceFunction } from "./sluice-function.ts";

export type QueryProps = {
  readonly common: CommonEnvironment;
  readonly database: Database;
};

/** Reads events from the database. */
export class Query extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { common, database }: QueryProps) {
    super(scope, id);
    const handler = new SluiceFunction<QueryEnvironment>(this, "Function", {
      name: "query",
      timeoutSeconds: QUERY_TIMEOUT_SECONDS,
      environment: { ...common, ...databaseEnvironment(database) },
    });
    database.grantDataApi(handler, ["ExecuteStatement"]);
    this.function = handler;
  }
}
