/**
 * The line of a request. The function logs its requests with more fields (functions/core/log-lines.ts), so this one has only what
 * it takes to find that line, and what API Gateway answers by itself.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 */
export const ACCESS_LOG = {
  requestId: "$context.requestId",
  ip: "$context.identity.sourceIp",
  route: "$context.httpMethod $context.resourcePath",
  status: "$context.status",
  latencyMs: "$context.responseLatency",
  error: "$context.error.responseType",
} as const;
