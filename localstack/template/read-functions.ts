import type { FunctionModel, MetricFilterModel } from "./model.ts";
import { propertiesOf, type Shape } from "./properties.ts";
import { readMetricFilters } from "./read-metric-filters.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/** The bundled folder of an asset, by its hash. */
export type AssetPath = (assetHash: string) => string;

/** Lambda's own values where the template gives none: docs.aws.amazon.com/lambda/latest/dg/configuration-function-common.html */
const DEFAULT_TIMEOUT_SECONDS = 3;
const DEFAULT_MEMORY_MEGABYTES = 128;

const FUNCTION: Shape = {
  used: [
    "Code",
    "Environment",
    "FunctionName",
    "Handler",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "ReservedConcurrentExecutions",
    "Runtime",
    "Timeout",
  ],
  inert: [
    "Architectures",
    "DeadLetterConfig",
    "Description",
    "EphemeralStorage",
    "KmsKeyArn",
    "RecursiveLoop",
    "Role",
    "RuntimeManagementConfig",
    "Tags",
    "TracingConfig",
    "VpcConfig",
  ],
};
const CODE: Shape = { used: ["S3Key"], inert: ["S3Bucket"] };
const LOGGING: Shape = { used: ["LogGroup"], inert: ["ApplicationLogLevel", "LogFormat", "SystemLogLevel"] };
const ENVIRONMENT: Shape = { used: ["Variables"], inert: [] };

/** The stack's functions. Providers of custom resources, which only CloudFormation calls, are left out. */
export function readFunctions(resolver: Resolver, assetPath: AssetPath): FunctionModel[] {
  const providers = providerArns(resolver);
  const filters = readMetricFilters(resolver);
  return resolver
    .idsOf("AWS::Lambda::Function")
    .filter((logicalId) => !providers.has(String(resolver.getAtt(logicalId, "Arn", logicalId))))
    .map((logicalId) => readFunction(resolver, logicalId, { assetPath, filters }));
}

function readFunction(
  resolver: Resolver,
  logicalId: string,
  { assetPath, filters }: { assetPath: AssetPath; filters: MetricFilterModel[] },
): FunctionModel {
  const properties = propertiesOf(resolver, logicalId, FUNCTION);
  if ((properties.optionalText("PackageType") ?? "Zip") !== "Zip") {
    throw new TemplateError(`${properties.path}.PackageType: container images do not run locally. Use a zip asset.`);
  }
  const runtime = properties.text("Runtime");
  if (!runtime.startsWith("nodejs")) {
    throw new TemplateError(`${properties.path}.Runtime: ${runtime} does not run locally, only Node does.`);
  }
  const logGroup = properties.object("LoggingConfig", LOGGING)?.optionalText("LogGroup");
  const key = properties.object("Code", CODE)?.text("S3Key") ?? "";
  return {
    logicalId,
    name: String(resolver.ref(logicalId, logicalId)),
    arn: String(resolver.getAtt(logicalId, "Arn", logicalId)),
    handler: properties.text("Handler"),
    assetPath: assetPath(key.replace(/\.[^.]*$/, "")),
    timeoutSeconds: properties.number("Timeout", DEFAULT_TIMEOUT_SECONDS),
    memoryMegabytes: properties.number("MemorySize", DEFAULT_MEMORY_MEGABYTES),
    environment: properties.object("Environment", ENVIRONMENT)?.textRecord("Variables") ?? {},
    reservedConcurrency: properties.optionalNumber("ReservedConcurrentExecutions"),
    metricFilters: filters.filter((filter) => filter.logGroup === logGroup),
  };
}

function providerArns({ resources, resolve }: Resolver): Set<string> {
  const tokens = Object.entries(resources).flatMap(([logicalId, { Type: type, Properties: properties }]) =>
    type.startsWith("Custom::") ? [resolve(properties?.["ServiceToken"], `${logicalId}.Properties.ServiceToken`)] : [],
  );
  return new Set(tokens.map(String));
}

/** The function with this name or ARN; a version or alias after it names the same function. */
export function findFunction(functions: FunctionModel[], nameOrArn: string, path: string): FunctionModel {
  const found = functions.find(
    ({ name, arn }) => nameOrArn === name || nameOrArn === arn || nameOrArn.startsWith(`${arn}:`),
  );
  if (found !== undefined) return found;
  throw new TemplateError(`${path}: ${nameOrArn} is not a function of this stack.`);
}
