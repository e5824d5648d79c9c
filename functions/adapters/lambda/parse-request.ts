import type { APIGatewayProxyEvent } from "aws-lambda";
import { RequestError } from "../../core/errors.ts";
import type { Parameters } from "../../routes/route.ts";
import type { HttpMiddleware, Operation } from "./http-middleware.ts";
import type { SentHeaders } from "./read-headers.ts";

/** Parses a request by its route. A parameter that the route does not have, or a bad value, ends it as `bad_parameter`. */
export function parseRequest(): HttpMiddleware {
  return {
    before: ({ event, context }) => {
      const { parameters, query } = (event.operation as Operation).route;
      event.request = {
        method: event.httpMethod,
        path: event.path,
        ...(event.sent as SentHeaders),
        parameters: parsePath(parameters, event.pathParameters),
        query: parseQuery(query, event.multiValueQueryStringParameters),
        principal: event.principal,
        body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
        // REST APIs inflate gzip and hand the header over as it was.
        inflated: true,
        requestId: event.requestContext.requestId,
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
    } catch (cause) {
      throw new RequestError("bad_parameter", `${name} in the path is not valid percent-encoding.`, { cause });
    }
  });
}

function parseQuery(schemas: Parameters = {}, sent: APIGatewayProxyEvent["multiValueQueryStringParameters"]): object {
  if (!sent) return parseNothing(schemas);
  for (const [name, values = []] of Object.entries(sent ?? {})) {
    if (!Object.hasOwn(schemas, name)) {
      throw new RequestError("bad_parameter", `${name.slice(0, 64)} is no parameter. ${list(Object.keys(schemas))}`);
    }
    if (values.length > 1) throw new RequestError("bad_parameter", `${name} has ${values.length} values. Send one.`);
  }
  return parseEach(schemas, (name) => sent?.[name]?.[0]);
}

/** The parsed query of requests that have none, by the route's schemas; most requests have none. */
const ofNothing = new WeakMap<Parameters, object>();

function parseNothing(schemas: Parameters): object {
  const known = ofNothing.get(schemas);
  if (known !== undefined) return known;
  const parsed = Object.freeze(parseEach(schemas, () => undefined));
  ofNothing.set(schemas, parsed);
  return parsed;
}

function list(names: string[]): string {
  if (names.length === 0) return "This route has none.";
  return names.length === 1 ? `There is only ${names[0]}.` : `There are: ${names.join(", ")}.`;
}

function parseEach(schemas: Parameters, valueOf: (name: string) => string | undefined): object {
  const parsed: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const { data, error } = schema.safeParse(valueOf(name));
    if (error !== undefined) throw new RequestError("bad_parameter", `${name} ${error.issues[0]?.message}.`);
    parsed[name] = data;
  }
  return parsed;
}
