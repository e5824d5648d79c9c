import type { RouteModel } from "../template/model.ts";

export type RouteMatch = {
  functionArn: string;
  /** The resource's path, for example `/events/{id}`. */
  resource: string;
  pathParameters: Record<string, string> | null;
};

export type Router = (method: string, path: string) => RouteMatch | undefined;

type Segment = { kind: "literal" | "parameter" | "greedy"; text: string };
type Resource = { path: string; segments: Segment[]; methods: Map<string, string> };

/** The methods that `ANY` includes. */
const ANY_METHODS = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]);
const RANK = { literal: 0, parameter: 1, greedy: 2 };

/**
 * Finds the method of a REST API that answers a request. As on API Gateway a literal segment wins over `{param}` and
 * that over `{proxy+}`, trailing slashes do not count, and a resource that matches but lacks the method is a miss (no
 * other resource is tried).
 *
 * Path parameters stay percent-encoded, as REST APIs pass them on: requests captured on AWS show
 * `test%2Balias@gmail.com` in `path` and in `pathParameters.proxy` alike (localstack/localstack,
 * tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json, recorded 2024-08-02), and `%40` in `{id}`
 * (serverless/serverless issue 5037). Handlers decode them. Query strings come decoded.
 */
export function createRouter(routes: RouteModel[]): Router {
  const resources = resourcesOf(routes);

  return (method, path) => {
    const segments = segmentsOf(path);
    for (const resource of resources) {
      const parameters = match(resource.segments, segments);
      if (parameters === undefined) continue;
      const functionArn = resource.methods.get(method) ?? (ANY_METHODS.has(method) && resource.methods.get("ANY"));
      if (!functionArn) return undefined;
      const names = Object.keys(parameters);
      return { functionArn, resource: resource.path, pathParameters: names.length > 0 ? parameters : null };
    }
    return undefined;
  };
}

function resourcesOf(routes: RouteModel[]): Resource[] {
  const resources = new Map<string, Resource>();
  for (const { path, method, functionArn } of routes) {
    const resource = resources.get(path) ?? { path, segments: segmentsOf(path).map(segmentOf), methods: new Map() };
    resource.methods.set(method.toUpperCase(), functionArn);
    resources.set(path, resource);
  }
  return [...resources.values()].toSorted(moreSpecificFirst);
}

function segmentsOf(path: string): string[] {
  return path.replace(/^\/+/, "").replace(/\/+$/, "").split("/");
}

function segmentOf(text: string): Segment {
  if (!text.startsWith("{") || !text.endsWith("}")) return { kind: "literal", text };
  return text.endsWith("+}")
    ? { kind: "greedy", text: text.slice(1, -2) }
    : { kind: "parameter", text: text.slice(1, -1) };
}

function moreSpecificFirst(a: Resource, b: Resource): number {
  for (let index = 0; index < Math.min(a.segments.length, b.segments.length); index += 1) {
    const order = RANK[a.segments[index]?.kind ?? "literal"] - RANK[b.segments[index]?.kind ?? "literal"];
    if (order !== 0) return order;
  }
  return b.segments.length - a.segments.length;
}

function match(pattern: Segment[], path: string[]): Record<string, string> | undefined {
  const parameters: [string, string][] = [];
  for (const [index, segment] of pattern.entries()) {
    const value = segment.kind === "greedy" ? path.slice(index).join("/") : path[index];
    if (segment.kind === "literal" ? value !== segment.text : value === undefined || value === "") return undefined;
    if (segment.kind !== "literal" && value !== undefined) parameters.push([segment.text, value]);
    if (segment.kind === "greedy") return Object.fromEntries(parameters);
  }
  return pattern.length === path.length ? Object.fromEntries(parameters) : undefined;
}
