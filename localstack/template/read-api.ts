import { INTEGRATION_TIMEOUT_MILLISECONDS } from "../api-gateway/limits.ts";
import type { ApiModel, FunctionModel, RouteModel } from "./model.ts";
import { propertiesOf, type Shape } from "./properties.ts";
import { readGatewayResponses } from "./read-gateway-responses.ts";
import { findFunction } from "./read-functions.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

const REST_API: Shape = {
  used: ["BinaryMediaTypes", "Name"],
  // Who reaches the API from outside, and how; this machine alone reaches the local one.
  inert: [
    "Description",
    "DisableExecuteApiEndpoint",
    "EndpointAccessMode",
    "EndpointConfiguration",
    "FailOnWarnings",
    "MinimumCompressionSize",
    "Policy",
    "SecurityPolicy",
    "Tags",
  ],
};
const STAGE: Shape = {
  used: ["CacheClusterEnabled", "StageName"],
  inert: ["AccessLogSetting", "DeploymentId", "Description", "MethodSettings", "RestApiId", "Tags", "TracingEnabled"],
};
const RESOURCE: Shape = { used: ["ParentId", "PathPart"], inert: ["RestApiId"] };
const METHOD: Shape = {
  used: ["ApiKeyRequired", "AuthorizationType", "HttpMethod", "Integration", "ResourceId"],
  inert: ["MethodResponses", "OperationName", "RequestModels", "RequestParameters", "RestApiId"],
};
const INTEGRATION: Shape = {
  used: ["IntegrationHttpMethod", "TimeoutInMillis", "Type", "Uri"],
  inert: [],
};

/** The stack's one REST API: its resources are the paths, its methods the routes. */
export function readApi(resolver: Resolver, functions: FunctionModel[]): ApiModel {
  const apiId = onlyOf(resolver, "AWS::ApiGateway::RestApi");
  const stageId = onlyOf(resolver, "AWS::ApiGateway::Stage");
  const api = propertiesOf(resolver, apiId, REST_API);
  const stage = propertiesOf(resolver, stageId, STAGE);
  if (stage.flag("CacheClusterEnabled", false)) {
    throw new TemplateError(`${stage.path}.CacheClusterEnabled: responses are not cached locally.`);
  }
  const paths = readPaths(resolver, apiId);
  return {
    name: api.text("Name"),
    restApiId: String(resolver.ref(apiId, apiId)),
    stageName: stage.text("StageName"),
    routes: resolver.idsOf("AWS::ApiGateway::Method").map((id) => readRoute(resolver, id, paths, functions)),
    binaryMediaTypes: api.texts("BinaryMediaTypes"),
    gatewayResponses: readGatewayResponses(resolver),
  };
}

/** Paths by resource id, as `Ref` returns it. */
function readPaths(resolver: Resolver, apiId: string): Map<string, string> {
  const parents = new Map(
    resolver.idsOf("AWS::ApiGateway::Resource").map((logicalId) => {
      const properties = propertiesOf(resolver, logicalId, RESOURCE);
      const entry = { parent: properties.text("ParentId"), part: properties.text("PathPart") };
      return [String(resolver.ref(logicalId, logicalId)), entry];
    }),
  );
  const root = String(resolver.getAtt(apiId, "RootResourceId", apiId));
  const pathOf = (id: string): string => {
    if (id === root) return "";
    const entry = parents.get(id);
    if (entry === undefined) throw new TemplateError(`${apiId}: a resource's parent is not part of this API.`);
    return `${pathOf(entry.parent)}/${entry.part}`;
  };
  return new Map([[root, "/"], ...[...parents.keys()].map((id) => [id, pathOf(id)] as const)]);
}

function readRoute(
  resolver: Resolver,
  logicalId: string,
  paths: Map<string, string>,
  functions: FunctionModel[],
): RouteModel {
  const method = propertiesOf(resolver, logicalId, METHOD);
  if ((method.optionalText("AuthorizationType") ?? "NONE") !== "NONE" || method.flag("ApiKeyRequired", false)) {
    throw new TemplateError(`${method.path}: API Gateway's authorizers and API keys do not run locally.`);
  }
  const type = (method.value("Integration") as { Type?: string } | undefined)?.Type ?? "none";
  const integration = type === "AWS_PROXY" ? method.object("Integration", INTEGRATION) : undefined;
  if (integration === undefined) {
    throw new TemplateError(
      `${method.path}.Integration: only AWS_PROXY runs locally, not ${type}. Route the method to a function.`,
    );
  }
  if (
    integration.number("TimeoutInMillis", INTEGRATION_TIMEOUT_MILLISECONDS) !== INTEGRATION_TIMEOUT_MILLISECONDS ||
    (integration.optionalText("IntegrationHttpMethod") ?? "POST") !== "POST"
  ) {
    throw new TemplateError(
      `${integration.path}: only POST and a timeout of ${INTEGRATION_TIMEOUT_MILLISECONDS} ms run locally.`,
    );
  }
  const path = paths.get(method.text("ResourceId"));
  if (path === undefined) throw new TemplateError(`${method.path}.ResourceId: not a resource of this API.`);
  const uri = integration.text("Uri");
  const functionArn = /\/functions\/(arn:.+)\/invocations$/.exec(uri)?.[1] ?? uri;
  return {
    method: method.text("HttpMethod").toUpperCase(),
    path,
    functionArn: findFunction(functions, functionArn, `${integration.path}.Uri`).arn,
  };
}

function onlyOf(resolver: Resolver, type: string): string {
  const [first, ...more] = resolver.idsOf(type);
  if (first !== undefined && more.length === 0) return first;
  throw new TemplateError(
    first === undefined
      ? `The template has no ${type}; the local stack needs one.`
      : `The template has several ${type} (${[first, ...more].join(", ")}); the local stack runs one.`,
  );
}
