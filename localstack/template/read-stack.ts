import { INERT_TYPES } from "./inert-types.ts";
import type { StackModel } from "./model.ts";
import { readApi } from "./read-api.ts";
import { readBuckets } from "./read-buckets.ts";
import { readDatabase } from "./read-database.ts";
import { readEventSources } from "./read-event-sources.ts";
import { type AssetPath, readFunctions } from "./read-functions.ts";
import { readOutputs } from "./read-outputs.ts";
import { readQueues } from "./read-queues.ts";
import { readSchedules } from "./read-schedules.ts";
import { readSecrets } from "./read-secrets.ts";
import { readTables } from "./read-tables.ts";
import { readTriggers } from "./read-triggers.ts";
import { createResolver, type Resolver } from "./resolver.ts";
import { type Template, TemplateError } from "./template.ts";

/** The account and region of the local stack; fauxqs has this account built in. */
export const LOCAL_ACCOUNT_ID = "000000000000";
export const LOCAL_REGION = "us-east-1";

/**
 * The stack as the runtime runs it. Reading it again with another `sqsEndpoint` changes queue URLs only, so the queues
 * can be read before the endpoint is known.
 * @param options.sqsEndpoint base URL of the local SQS, for example `http://127.0.0.1:9324`
 * @throws TemplateError for anything that AWS would do and the local stack does not
 */
export function readStack(
  assembly: { template: Template; stackName: string; assetPath: AssetPath },
  { sqsEndpoint }: { sqsEndpoint: string },
): StackModel {
  const { stackName } = assembly;
  const environment = { stackName, region: LOCAL_REGION, accountId: LOCAL_ACCOUNT_ID, sqsEndpoint };
  const resolver = createResolver(assembly.template, environment);
  refuseUnknownTypes(resolver);
  const functions = readFunctions(resolver, assembly.assetPath);
  const queues = readQueues(resolver);
  return {
    functions,
    queues,
    tables: readTables(resolver),
    buckets: readBuckets(resolver),
    secrets: readSecrets(resolver, functions),
    api: readApi(resolver, functions),
    eventSources: readEventSources(resolver, functions, queues),
    schedules: readSchedules(resolver, functions),
    triggers: readTriggers(resolver, functions),
    database: readDatabase(resolver, functions),
    outputs: readOutputs(resolver),
  };
}

/** The types that the `read-*.ts` files read. */
const READ_TYPES = new Set([
  "AWS::ApiGateway::GatewayResponse",
  "AWS::ApiGateway::Method",
  "AWS::ApiGateway::Resource",
  "AWS::ApiGateway::RestApi",
  "AWS::ApiGateway::Stage",
  "AWS::DynamoDB::Table",
  "AWS::Events::Rule",
  "AWS::Lambda::EventSourceMapping",
  "AWS::Lambda::Function",
  "AWS::Logs::MetricFilter",
  "AWS::RDS::DBCluster",
  "AWS::S3::Bucket",
  "AWS::SQS::Queue",
  "AWS::SecretsManager::RotationSchedule",
  "AWS::SecretsManager::Secret",
  "Custom::Trigger",
]);

function refuseUnknownTypes({ resources }: Resolver): void {
  const unknown = Object.entries(resources).filter(
    ([, { Type: type }]) => !READ_TYPES.has(type) && !Object.hasOwn(INERT_TYPES, type),
  );
  if (unknown.length === 0) return;
  const named = unknown.map(([logicalId, { Type: type }]) => `  ${type} (${logicalId})`).join("\n");
  throw new TemplateError(
    `The local stack does not know these resources of the template:\n${named}\n` +
      "If one means nothing on a laptop, add its type with the reason to localstack/template/inert-types.ts; " +
      "otherwise teach the runtime: read it in localstack/template/read-stack.ts and run it.",
  );
}
