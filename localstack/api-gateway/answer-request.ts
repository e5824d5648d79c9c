import type { IncomingMessage } from "node:http";
import type { Invoke, InvokeResult } from "../lambda/invoke.ts";
import type { ApiModel } from "../template/model.ts";
import type { Answer } from "./answer.ts";
import { type GatewayFailure, gatewayResponse } from "./gateway-response.ts";
import { BODY_LIMIT_BYTES, HEADER_VALUES_LIMIT_BYTES, PAYLOAD_LIMIT_BYTES } from "./limits.ts";
import { onAbort } from "../on-abort.ts";
import { isBinary } from "./media-types.ts";
import { proxyEvent } from "./proxy-event.ts";
import { parseProxyResponse } from "./proxy-response.ts";
import { readBody } from "./request-body.ts";
import { createRequestContext, traceIdOf } from "./request-context.ts";
import type { RouteMatch, Router } from "./router.ts";

export type Gateway = {
  api: ApiModel;
  router: Router;
  accountId: string;
  invoke: (functionArn: string) => Invoke;
  integrationTimeoutMilliseconds: number;
  /** Fires when the gateway closes; a running invocation then counts as taking too long. */
  giveUp: AbortSignal;
  log: (line: string) => void;
};

/** The response to a client if the function has no successful result. */
const FAILURES = {
  error: "function failed",
  timeout: "function failed",
  crash: "function failed",
  throttle: "function throttled",
  late: "integration timeout",
} as const satisfies Record<string, GatewayFailure>;

type Target = { route: RouteMatch | undefined; path: string };

/** Answers one request as the deployed REST API would; undefined when the client has disconnected. */
export async function answerRequest(request: IncomingMessage, gateway: Gateway): Promise<Answer | undefined> {
  const { api } = gateway;
  const now = new Date();
  const [rawPath, query] = splitUrl(request.url ?? "/");
  const context = createRequestContext(request, { api, accountId: gateway.accountId, path: rawPath, now });
  const traceId = traceIdOf(request, now);
  const fail = (failure: GatewayFailure) => gatewayResponse(failure, { responses: api.gatewayResponses, context });
  const signed = (answer: Answer): Answer => {
    answer.headers.push(
      ["x-amzn-RequestId", context.requestId],
      ["x-amz-apigw-id", context.extendedRequestId],
      ["X-Amzn-Trace-Id", traceId],
    );
    return answer;
  };

  const body = await readBody(request);
  if (body.kind === "aborted") return undefined;
  if (body.kind === "too large") return bodyTooLarge();
  if (headerValuesLength(request) > HEADER_VALUES_LIMIT_BYTES) return signed(fail("headers too large"));
  const { route, path } = findTarget(gateway, context.httpMethod, rawPath);
  if (route === undefined) return signed(fail("no such method"));
  if (body.kind === "unsupported encoding") return signed(fail("unsupported encoding"));
  if (body.kind === "inflates too large") return signed(fail("request too large"));

  const { binaryMediaTypes } = api;
  const event = proxyEvent(request, { route, path, query, body: body.bytes, binaryMediaTypes, context, traceId });
  if (Buffer.byteLength(event) > PAYLOAD_LIMIT_BYTES) return signed(fail("request too large"));

  const result = await untilLate(gateway.invoke(route.functionArn)(event), gateway);
  if (result.kind !== "success") return signed(fail(FAILURES[result.kind]));
  const answer = parseProxyResponse(result.payload, isBinary(binaryMediaTypes, request.headers.accept));
  if (answer !== undefined) return signed(answer);
  gateway.log(
    `${context.httpMethod} ${rawPath} Execution failed due to configuration error: Malformed Lambda proxy response`,
  );
  return signed(fail("function failed"));
}

/**
 * The route at the root, as behind a custom domain name, or below the stage, as at the API's own address. The stage is
 * not part of `path`, and slashes after it count as one (captured on AWS: `/stage//events` has the path `/events`).
 */
function findTarget({ api, router }: Gateway, method: string, rawPath: string): Target {
  const stage = `/${api.stageName}`;
  if (rawPath === stage || rawPath.startsWith(`${stage}/`)) {
    const path = `/${rawPath.slice(stage.length).replace(/^\/+/, "")}`;
    const route = router(method, path);
    if (route !== undefined) return { route, path };
  }
  const path = rawPath.replace(/^\/+/, "/");
  return { route: router(method, path), path };
}

/** Path and query of a request target; clients of a proxy send it with scheme and host. */
function splitUrl(url: string): [path: string, query: string] {
  const target = url.startsWith("/") ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "");
  const question = target.indexOf("?");
  const [path, query] = question === -1 ? [target, ""] : [target.slice(0, question), target.slice(question + 1)];
  return [path === "" ? "/" : path, query];
}

function headerValuesLength(request: IncomingMessage): number {
  let length = 0;
  for (let index = 1; index < request.rawHeaders.length; index += 2) length += request.rawHeaders[index]?.length ?? 0;
  return length;
}

async function untilLate(
  invocation: Promise<InvokeResult>,
  { integrationTimeoutMilliseconds, giveUp }: Gateway,
): Promise<InvokeResult | { kind: "late" }> {
  let timer: NodeJS.Timeout | undefined;
  let forget: (() => void) | undefined;
  const late = new Promise<{ kind: "late" }>((resolve) => {
    timer = setTimeout(() => resolve({ kind: "late" }), integrationTimeoutMilliseconds);
    forget = onAbort(giveUp, () => resolve({ kind: "late" }));
  });
  try {
    return await Promise.race([invocation, late]);
  } finally {
    clearTimeout(timer);
    forget?.();
  }
}

/**
 * Not a gateway response: captured on AWS, a body over 10 MB is refused before the API is known, in plain text that
 * REQUEST_TOO_LARGE does not customise (koki-develop/lgtm-generator issue 10, reapit/foundations issue 4338).
 */
function bodyTooLarge(): Answer {
  return {
    status: 413,
    headers: [
      ["Content-Type", "text; charset=utf-8"],
      ["Connection", "close"],
    ],
    body: `HTTP content length exceeded ${BODY_LIMIT_BYTES} bytes.`,
  };
}
