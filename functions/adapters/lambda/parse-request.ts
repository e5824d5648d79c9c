import type { APIGatewayProxyEvent } from "aws-lambda";
import { badParameter } from "../../core/bad-parameter.ts";
import type { NamedValue, Parameters, Route } from "../../routes/route.ts";
import type { HttpMiddleware, Operation } from "./http-middleware.ts";
import type { Observability } from "./observability.ts";
import type { SentHeaders } from "./read-headers.ts";

/** Parses a request by its route. A parameter that the route does not have, or a bad value, ends it as `bad_parameter`. */
export function parseRequest(tracing: Pick<Observability["tracing"], "request">): HttpMiddleware {
  return {
    before: ({ event, context }) => {
      const { route } = event.operation as Operation;
      event.request = {
        method: event.httpMethod,
        path: event.path,
        ...(event.sent as SentHeaders),
        parameters: parsePath(route.parameters, event.pathParameters),
        query: parseQuery(route, event.multiValueQueryStringParameters),
        principal: event.principal,
        body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
        // REST APIs inflate gzip and hand the header over as it was.
        inflated: true,
        requestId: event.requestContext.requestId,
        trace: tracing.request(),
        deadline: Date.now() + context.getRemainingTimeInMillis(),
      };
    },
  };
}

/** REST APIs hand path parameters over percent-encoded, query parameters decoded. */
function parsePath(schemas: Parameters = {}, encoded: APIGatewayProxyEvent["pathParameters"]): object {
  return parseEach(schemas, (name) => {
    try {
      return decodeURIComponent(encoded?.[name] ?? "");
    } catch {
      throw badParameter(name, "in the path is not valid percent-encoding");
    }
  });
}

type Sent = APIGatewayProxyEvent["multiValueQueryStringParameters"];

function parseQuery(route: Route, sent: Sent): object {
  if (!sent) return parseNothing(route);
  const { query = {}, repeatable = {}, families = {} } = route;
  const ofFamilies = Object.keys(families);
  for (const [name, values = []] of Object.entries(sent)) {
    if (Object.hasOwn(repeatable, name) || ofFamilies.some((family) => isOfFamily(family, name))) continue;
    if (!Object.hasOwn(query, name)) throw badParameter(name.slice(0, 64), `is no parameter. ${list(namesOf(route))}`);
    if (values.length > 1) throw badParameter(name, `has ${values.length} values. Send one`);
  }
  return {
    ...parseEach(query, (name) => sent[name]?.[0]),
    ...parseLists(repeatable, (name) => sent[name] ?? []),
    ...Object.fromEntries(ofFamilies.map((family) => [family, valuesOf(family, sent)])),
  };
}

function namesOf({ query = {}, repeatable = {}, families = {} }: Route): string[] {
  return [...Object.keys({ ...query, ...repeatable }), ...Object.keys(families).map((family) => `${family}.…`)];
}

/** The family `data` has the names `data`, `data.…` and `data[…`. */
function isOfFamily(family: string, name: string): boolean {
  return name === family || name.startsWith(`${family}.`) || name.startsWith(`${family}[`);
}

function valuesOf(family: string, sent: NonNullable<Sent>): NamedValue[] {
  return Object.entries(sent)
    .filter(([name]) => isOfFamily(family, name))
    .flatMap(([name, values = []]) => values.map((value) => [name, value] as const));
}

function parseLists(schemas: Parameters, valuesOf: (name: string) => readonly string[]): object {
  const parsed: Record<string, unknown[]> = {};
  for (const name of Object.keys(schemas)) {
    parsed[name] = valuesOf(name).map((value) => parseOne(schemas, name, value));
  }
  return parsed;
}

/** The parsed query of requests that have none, by route; most requests have none. */
const ofNothing = new WeakMap<Route, object>();

function parseNothing(route: Route): object {
  const known = ofNothing.get(route);
  if (known !== undefined) return known;
  const parsed = Object.freeze(parseQuery(route, {}));
  ofNothing.set(route, parsed);
  return parsed;
}

function list(names: string[]): string {
  if (names.length === 0) return "This route has none";
  return names.length === 1 ? `There is only ${names[0]}` : `There are: ${names.join(", ")}`;
}

function parseEach(schemas: Parameters, valueOf: (name: string) => string | undefined): object {
  const parsed: Record<string, unknown> = {};
  for (const name of Object.keys(schemas)) parsed[name] = parseOne(schemas, name, valueOf(name));
  return parsed;
}

function parseOne(schemas: Parameters, name: string, value: string | undefined): unknown {
  const { data, error } = (schemas[name] as Parameters[string]).safeParse(value);
  if (error !== undefined) throw badParameter(name, `${error.issues[0]?.message}`);
  return data;
}
