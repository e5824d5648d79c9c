import * as z from "zod";
import { REQUEST_MAX_EVENTS } from "../core/limits.ts";
import { concernsInstallation } from "../core/scopes.ts";
import type { SchemaName } from "../core/answer.ts";
import type { BodyContent, Parameters, Route } from "../routes/route.ts";
import { type OperationId, routes } from "../routes/routes.ts";
import { refTo } from "./components.ts";
import { answers, parameters, requests } from "./examples.ts";
import { problems } from "./problems.ts";

type JsonObject = Record<string, unknown>;

/** Describes the operations of the API, by path and method. */
export function operations(): Record<string, Record<string, JsonObject>> {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const ofFunction of Object.values(routes)) {
    for (const [operationId, route] of Object.entries<Route>(ofFunction)) {
      (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(operationId as OperationId, route);
    }
  }
  return paths;
}

function operation(operationId: OperationId, route: Route): JsonObject {
  const { auth, tag, summary, description, body, answers } = route;
  const parameters = [
    ...describeParameters(operationId, "path", route.parameters),
    ...describeParameters(operationId, "query", route.query),
    ...describeParameters(operationId, "query", route.repeatable).map(repeated),
    ...describeFamilies(route.families),
    ...describeHeaders(route.headers),
    ...(auth === "public" || concernsInstallation(auth) ? [] : [{ $ref: "#/components/parameters/Tenant" }]),
  ];
  return {
    operationId,
    tags: [tag],
    summary,
    description: [description, auth !== "public" && `Needs the scope \`${auth}\`.`].filter(Boolean).join("\n\n"),
    security: auth === "public" ? [] : [{ bearer: [] }, { apiKey: [] }, { session: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: requestBody(operationId, body) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, response(operationId, Number(status), answer)]),
      ),
      ...problems(route),
    },
  };
}

function describeParameters(operationId: OperationId, place: "path" | "query", schemas: Parameters = {}): JsonObject[] {
  return Object.entries(schemas).map(([name, zodSchema]) => {
    const { $schema: _schema, description, ...schema } = z.toJSONSchema(zodSchema, { io: "input" });
    const example = parameters[operationId]?.[name];
    return {
      name,
      in: place,
      ...(place === "path" && { required: true }),
      ...(description !== undefined && { description }),
      schema,
      ...(example !== undefined && { example }),
    };
  });
}

/** A list of values, each of which is sent with the name: `type=a&type=b`. */
function repeated({ schema, ...parameter }: JsonObject): JsonObject {
  return { ...parameter, style: "form", explode: true, schema: { type: "array", items: schema } };
}

/** An object whose members are sent each by its own name (OpenAPI 3.1, style `form` with `explode`). */
function describeFamilies(families: Route["families"] = {}): JsonObject[] {
  return Object.entries(families).map(([name, { description, example }]) => ({
    name,
    in: "query",
    description,
    style: "form",
    explode: true,
    schema: {
      type: "object",
      propertyNames: { pattern: `^${name}([.[]|$)` },
      additionalProperties: { type: "string" },
    },
    example,
  }));
}

function describeHeaders(headers: Route["headers"] = {}): JsonObject[] {
  return Object.entries(headers).map(([name, { description, values }]) => ({
    name,
    in: "header",
    description,
    schema: { type: "string", ...(values !== undefined && { enum: values }) },
  }));
}

function requestBody(operationId: OperationId, { description, content }: NonNullable<Route["body"]>): JsonObject {
  const described = Object.entries(content).map(([contentType, each]) => [
    contentType,
    { schema: bodySchema(each), examples: requests[operationId]?.[contentType] },
  ]);
  return { required: true, description, content: Object.fromEntries(described) };
}

function bodySchema(content: BodyContent): JsonObject {
  if (!("anyOf" in content)) return content;
  const schemas = content.anyOf.map((name) =>
    name.endsWith("[]") ? events(name.slice(0, -"[]".length) as SchemaName, content) : refTo(name as SchemaName),
  );
  return schemas.length === 1 ? (schemas[0] as JsonObject) : { anyOf: schemas };
}

function events(name: SchemaName, { mayBeEmpty = false }: { mayBeEmpty?: boolean }): JsonObject {
  return { type: "array", items: refTo(name), minItems: mayBeEmpty ? 0 : 1, maxItems: REQUEST_MAX_EVENTS };
}

function response(operationId: OperationId, status: number, answer: Route["answers"][number]): JsonObject {
  const { description, contentType, schema, others = {} } = answer;
  if (contentType === undefined || schema === undefined) return { description };
  const value = answers[operationId]?.[status];
  const [mediaType = ""] = contentType.split(";");
  const content = {
    schema: schema === "object" || schema === "string" ? { type: schema } : refTo(schema),
    // A list of one: viewers show these, and make their own where there is only an `example`.
    ...(value !== undefined && { examples: { example: { value } } }),
  };
  const described = Object.entries(others).map(([type, text]) => [
    type,
    { schema: { type: "string", description: text } },
  ]);
  return { description, content: { [mediaType]: content, ...Object.fromEntries(described) } };
}
