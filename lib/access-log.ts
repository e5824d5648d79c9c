/**
 * The line of a request, its values in this order with a space between them: a name before each would be half of the line. The function
 * logs its requests with more fields (functions/core/log-lines.ts), so this one has only what it takes to find that line, and what API
 * Gateway answers by itself. docs/watching.md has the query that names them.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 */
export const ACCESS_LOG = {
  requestId: "$context.requestId",
  ip: "$context.identity.sourceIp",
  method: "$context.httpMethod",
  path: "$context.resourcePath",
  status: "$context.status",
  latencyMs: "$context.responseLatency",
  error: "$context.error.responseType",
} as const;

export const ACCESS_LOG_FORMAT = Object.values(ACCESS_LOG).join(" ");
