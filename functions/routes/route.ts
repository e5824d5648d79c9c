import type * as z from "zod/mini";
import type { SchemaName } from "../core/answer.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { HttpRequest, HttpResponse } from "../core/http.ts";
import type { Principal } from "../core/principal.ts";
import type { Scope } from "../core/scopes.ts";

/**
 * One operation of the HTTP API. The CDK app deploys it, its function's handler answers it and parses requests by it, and
 * the OpenAPI document, its page and README's table are generated from it.
 */
export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** As API Gateway and OpenAPI write it, for example `/events/{id}`. */
  readonly path: `/${string}`;
  /** The scope that a caller needs; `public` asks for no key. */
  readonly auth: "public" | Scope;
  readonly tag: "events" | "access" | "api-docs" | "health";
  readonly summary: string;
  readonly description?: string;
  /** Path parameters by name. The message of a schema's error continues the parameter's name. */
  readonly parameters?: Parameters;
  /** Query parameters by name; any other is refused. */
  readonly query?: Parameters;
  /** Headers that the route reads beside the content type: their descriptions, and the values of those that have few. */
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly values?: readonly string[] }>>;
  readonly body?: { readonly description: string; readonly content: Readonly<Record<string, BodyContent>> };
  /** Successful answers by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Error codes of this route, beside those that every route has. */
  readonly errors: readonly ErrorCode[];
};

/** Routes of one function by operationId. */
export type Routes = Readonly<Record<string, Route>>;

/** Schemas of text, each with a description. */
export type Parameters = Readonly<Record<string, z.ZodMiniType<unknown, string | undefined>>>;

/**
 * The body of one content type: any of several schemas, or a value that only its description explains. A list may be
 * empty only where `mayBeEmpty` says so.
 */
export type BodyContent =
  | { readonly anyOf: readonly (SchemaName | `${SchemaName}[]`)[]; readonly mayBeEmpty?: true }
  | { readonly description: string; readonly type?: "string" };

type Answer = {
  readonly description: string;
  /** The header's value; an answer without one has no body. */
  readonly contentType?: string;
  readonly schema?: SchemaName | "object" | "string";
};

/** One handler for each route of a function, and no others. */
export type Handlers<R extends Routes> = { readonly [Name in keyof R]: Handler<R[Name]> };

export type Handler<R extends Route> = (
  request: HttpRequest<
    ValuesOf<R, "parameters">,
    ValuesOf<R, "query">,
    R["auth"] extends "public" ? undefined : Principal
  >,
) => Promise<HttpResponse<keyof R["answers"] & number>>;

type ValuesOf<R extends Route, Part extends "parameters" | "query"> =
  R extends Readonly<Record<Part, infer P extends Parameters>> ? { [Name in keyof P]: z.output<P[Name]> } : object;
