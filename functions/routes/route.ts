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
  readonly tag:
    | "events"
    | "dead-letters"
    | "exports"
    | "archive"
    | "erasures"
    | "subscriptions"
    | "status"
    | "retention"
    | "access"
    | "console"
    | "api-docs"
    | "health";
  readonly summary: string;
  readonly description?: string;
  /** The document that explains the parameters, where they are too many for README's table. */
  readonly guide?: `docs/${string}.md`;
  /** Path parameters by name. The message of a schema's error continues the parameter's name. */
  readonly parameters?: Parameters;
  /** Query parameters by name; any other is refused. */
  readonly query?: Parameters;
  /** Query parameters that may be sent several times; the handler gets the list of their values, which may be empty. */
  readonly repeatable?: Parameters;
  /**
   * Families of query parameters by their first name: `data` has `data`, `data.total[gt]` and `data[exists]`. The handler gets
   * the list of the names and values, which may be empty, and decides about both.
   */
  readonly families?: Families;
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

/** The parameters of a family: a description, and an example by name. */
type Families = Readonly<
  Record<string, { readonly description: string; readonly example: Readonly<Record<string, string>> }>
>;

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
  /** Other media types that a request may ask for by `Accept`, with their descriptions; the handler names the one it answers. */
  readonly others?: Readonly<Record<string, string>>;
};

/** One handler for each route of a function, and no others. */
export type Handlers<R extends Routes> = { readonly [Name in keyof R]: Handler<R[Name]> };

export type Handler<R extends Route> = (
  request: HttpRequest<
    ValuesOf<R, "parameters">,
    ValuesOf<R, "query"> & ListsOf<R> & FamiliesOf<R>,
    R["auth"] extends "public" ? undefined : Principal
  >,
) => Promise<HttpResponse<keyof R["answers"] & number>>;

type ValuesOf<R extends Route, Part extends "parameters" | "query"> =
  R extends Readonly<Record<Part, infer P extends Parameters>> ? { [Name in keyof P]: z.output<P[Name]> } : object;

type ListsOf<R extends Route> =
  R extends Readonly<Record<"repeatable", infer P extends Parameters>>
    ? { [Name in keyof P]: readonly NonNullable<z.output<P[Name]>>[] }
    : object;

type FamiliesOf<R extends Route> =
  R extends Readonly<Record<"families", infer F extends Families>>
    ? { [Name in keyof F]: readonly NamedValue[] }
    : object;

/** A parameter of a family, as it was sent. */
export type NamedValue = readonly [name: string, value: string];
