import { ResponseType, type RestApi } from "aws-cdk-lib/aws-apigateway";
import {
  type ErrorCode,
  errorTable,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  STATUSES_WITH_RETRY_AFTER,
} from "../functions/core/errors.ts";
import { REQUEST_MAX_BYTES, RETRY_AFTER_SECONDS } from "../functions/core/limits.ts";

/** Gives API Gateway's own errors the form of the functions' errors, readable by pages of the stage's other origins. */
export function addGatewayResponses(restApi: RestApi, origins: readonly string[] = []): void {
  for (const [type, { code, detail }] of Object.entries(gatewayErrors)) {
    const { status } = errorTable[code];
    restApi.addGatewayResponse(type, {
      type: ResponseType.of(type),
      statusCode: String(status),
      responseHeaders: {
        "content-type": `'${PROBLEM_MEDIA_TYPE}'`,
        ...(STATUSES_WITH_RETRY_AFTER.has(status) && { "retry-after": `'${RETRY_AFTER_SECONDS}'` }),
        ...corsHeaders(origins),
      },
      templates: {
        "application/json": JSON.stringify(problemDocument(code, { detail, requestId: "$context.requestId" })),
      },
    });
  }
}

/**
 * These headers are fixed text: API Gateway can copy the request's `Origin`, but not compare it. So of several origins
 * none is named, and a page of any origin may read these errors, which say nothing of events, keys or tenants.
 */
function corsHeaders(origins: readonly string[]): Record<string, string> {
  if (origins.length === 0) return {};
  return {
    "access-control-allow-origin": `'${origins.length === 1 ? origins[0] : "*"}'`,
    "access-control-expose-headers": "'*'",
  };
}

const REFUSED = "A resource policy or a WAF of the operator refused the request. Ask the operator to let you in.";
const SEND_AGAIN = "Send the request again after the time in Retry-After.";

/**
 * API Gateway's own errors, each with its code and detail.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
const gatewayErrors: Record<string, { code: ErrorCode; detail: string }> = {
  MISSING_AUTHENTICATION_TOKEN: {
    code: "no_such_route",
    detail: "There is no such path, or no such method. GET /docs lists all of them.",
  },
  REQUEST_TOO_LARGE: {
    code: "body_too_large",
    detail: `The body has more than ${REQUEST_MAX_BYTES} bytes, which is the limit. Split the events over several requests.`,
  },
  UNSUPPORTED_MEDIA_TYPE: {
    code: "unsupported_media_type",
    detail: "The content encoding is not supported, or the body is not what it says. Send valid gzip, or none.",
  },
  THROTTLED: { code: "throttled", detail: SEND_AGAIN },
  ACCESS_DENIED: { code: "forbidden", detail: REFUSED },
  WAF_FILTERED: { code: "forbidden", detail: REFUSED },
  QUOTA_EXCEEDED: { code: "throttled", detail: SEND_AGAIN },
  INTEGRATION_TIMEOUT: { code: "gateway_timeout", detail: SEND_AGAIN },
  INTEGRATION_FAILURE: { code: "gateway_failure", detail: SEND_AGAIN },
  DEFAULT_4XX: {
    code: "bad_request",
    detail: "API Gateway could not read the request. GET /docs shows the requests that it accepts.",
  },
  DEFAULT_5XX: { code: "gateway_failure", detail: SEND_AGAIN },
};
