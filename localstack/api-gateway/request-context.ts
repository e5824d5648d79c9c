import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { ApiModel } from "../template/model.ts";

export type RequestContext = ReturnType<typeof createRequestContext>;

/**
 * The `requestContext` of a proxy event, which is also `$context` in gateway response templates.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#context-variable-reference
 * The members that are null are those of a call without IAM, Cognito or API key.
 */
export function createRequestContext(
  request: IncomingMessage,
  options: { api: ApiModel; accountId: string; path: string; now: Date },
) {
  const { api, now } = options;
  const domainName = request.headers.host ?? "";
  return {
    accountId: options.accountId,
    apiId: api.restApiId,
    deploymentId: "local",
    domainName,
    domainPrefix: domainName.split(".", 1)[0] ?? "",
    extendedRequestId: randomBytes(11).toString("base64"),
    httpMethod: request.method ?? "",
    identity: {
      accessKey: null,
      accountId: null,
      caller: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
      user: null,
      userAgent: request.headers["user-agent"] ?? null,
      userArn: null,
    },
    path: options.path,
    protocol: `HTTP/${request.httpVersion}`,
    requestId: randomUUID() as string,
    requestTime: commonLogTime(now),
    requestTimeEpoch: now.getTime(),
    stage: api.stageName,
  };
}

/** For example `09/Apr/2015:12:34:56 +0000`. */
function commonLogTime(now: Date): string {
  const [, day, month, year, time] = now.toUTCString().split(" ");
  return `${day}/${month}/${year}:${time} +0000`;
}

/** The client's trace if it sent one, else a new one. https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html */
export function traceIdOf(request: IncomingMessage, now: Date): string {
  const sent = request.headers["x-amzn-trace-id"];
  if (typeof sent === "string" && sent.includes("Root=")) return sent;
  return `Root=1-${Math.floor(now.getTime() / 1000).toString(16)}-${randomBytes(12).toString("hex")}`;
}
