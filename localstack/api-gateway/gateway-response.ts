import { isObject } from "../is-object.ts";
import type { GatewayResponseModel } from "../template/model.ts";
import type { Answer } from "./answer.ts";
import type { RequestContext } from "./request-context.ts";

/** A failure that API Gateway answers itself. */
export type GatewayFailure = keyof typeof FAILURES;

/**
 * API Gateway's own responses: the type that customises it, its default status, its message and the value of
 * `x-amzn-ErrorType`. https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 * The statuses of Lambda's failures are those captured on AWS (throttled 500, error or malformed 502, timeout 504);
 * a throttled function is an INTEGRATION_FAILURE though its default status there is 504.
 */
const FAILURES = {
  "no such method": failure(
    "MISSING_AUTHENTICATION_TOKEN",
    403,
    "Missing Authentication Token",
    "MissingAuthenticationTokenException",
  ),
  "unsupported encoding": failure("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "BadRequestException"),
  "request too large": failure("REQUEST_TOO_LARGE", 413, "Request Too Long", "BadRequestException"),
  "headers too large": failure("DEFAULT_4XX", 431, "Request Header Fields Too Large", "BadRequestException"),
  "function throttled": failure("INTEGRATION_FAILURE", 500, "Internal server error", "InternalServerErrorException"),
  "function failed": failure("DEFAULT_5XX", 502, "Internal server error", "InternalServerErrorException"),
  "integration timeout": failure(
    "INTEGRATION_TIMEOUT",
    504,
    "Endpoint request timed out",
    "InternalServerErrorException",
  ),
  "internal error": failure("DEFAULT_5XX", 500, "Internal server error", "InternalFailureException"),
};

function failure(type: string, status: number, message: string, errorType: string) {
  return { type, status, message, errorType };
}

/** API Gateway's own response, where the API does not customise it. */
const BUILT_IN = { statusCode: undefined, headers: {}, templates: {} };
const BUILT_IN_TEMPLATE = '{"message": $context.error.messageString}';

/**
 * Renders a failure with the API's gateway responses: its own type first, then DEFAULT_4XX or DEFAULT_5XX, then AWS's
 * built-in response. Of several templates `application/json` is used (AWS chooses by the request).
 */
export function gatewayResponse(
  failed: GatewayFailure,
  options: { responses: GatewayResponseModel[]; context: RequestContext },
): Answer {
  const { type, status, message, errorType } = FAILURES[failed];
  const find = (wanted: string) => options.responses.find((response) => response.type === wanted);
  const response = find(type) ?? find(status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX") ?? BUILT_IN;
  const context = {
    ...options.context,
    error: { message, messageString: JSON.stringify(message), responseType: type },
  };

  const json = "application/json";
  const [contentType, template] = Object.entries(response.templates).toSorted(
    ([a], [b]) => Number(b === json) - Number(a === json),
  )[0] ?? [json, BUILT_IN_TEMPLATE];
  const headers = new Map([
    ["content-type", ["Content-Type", contentType] as [string, string]],
    ["x-amzn-errortype", ["x-amzn-ErrorType", errorType] as [string, string]],
  ]);
  for (const [name, value] of Object.entries(response.headers))
    headers.set(name.toLowerCase(), [name, substitute(value, context).replaceAll(/[^\t\x20-\x7e]/g, "")]);

  return {
    status: response.statusCode ?? status,
    headers: [...headers.values()],
    body: substitute(template, context),
  };
}

/** Fills in `$context.a.b`; an unknown variable is empty. */
export function substitute(template: string, context: object): string {
  return template.replaceAll(/\$context((?:\.\w+)+)/g, (_, path: string) => {
    let value: unknown = context;
    for (const name of path.slice(1).split("."))
      value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  });
}
