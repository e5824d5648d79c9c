import { Stack, Validations } from "aws-cdk-lib";
import {
  AccessLogFormat,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  ResponseType,
  RestApi,
} from "aws-cdk-lib/aws-apigateway";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import {
  type ErrorCode,
  errorTable,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  STATUSES_WITH_RETRY_AFTER,
} from "../functions/core/errors.ts";
import { API_BURST_LIMIT, API_RATE_LIMIT, REQUEST_MAX_BYTES, RETRY_AFTER_SECONDS } from "../functions/core/limits.ts";
import type { Route } from "../functions/routes/route.ts";
import { type HttpFunction, routes } from "../functions/routes/routes.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { Logs } from "./logs.ts";
import type { StageConfig } from "./stage-config.ts";

export type EventApiProps = {
  readonly stage: StageConfig;
  readonly alarmTopic: AlarmTopic;
};

/** The regional REST API: throttled and logged; it hands bodies over as bytes and answers its own errors in our shape. */
export class Api extends Construct {
  readonly restApi: RestApi;

  constructor(scope: Construct, id: string, { stage, alarmTopic }: EventApiProps) {
    super(scope, id);
    this.restApi = new RestApi(this, "Api", {
      // In the dimensions of its metrics, so another stack must not have it.
      restApiName: Stack.of(this).stackName,
      endpointConfiguration: { types: [EndpointType.REGIONAL] },
      // Bodies reach the function as bytes: as text, API Gateway would put U+FFFD where bytes are not UTF-8.
      binaryMediaTypes: ["*/*"],
      // The account's setting for all its REST APIs. It and the role stay when the stack is deleted (the CDK's default), so
      // that the APIs which share it go on logging.
      cloudWatchRole: true,
      deployOptions: {
        stageName: stage.name,
        throttlingRateLimit: API_RATE_LIMIT,
        throttlingBurstLimit: API_BURST_LIMIT,
        tracingEnabled: true,
        metricsEnabled: true,
        accessLogDestination: new LogGroupLogDestination(new Logs(this, "AccessLogs", { stage })),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields({
          caller: false,
          user: false,
          ip: true,
          httpMethod: true,
          protocol: true,
          requestTime: true,
          resourcePath: true,
          responseLength: true,
          status: true,
        }),
      },
    });
    for (const [type, { code, detail }] of Object.entries(gatewayErrors)) this.addProblem(type, code, detail);
    new Alarm(this, "ServerErrorsAlarm", {
      topic: alarmTopic,
      description: "The API answers with errors of its own.",
      runbook: "server-errors",
      metric: this.restApi.metricServerError(),
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });

    Validations.of(this.restApi).acknowledge(
      { id: "AwsSolutions-APIG2", reason: "The ingest function validates each event and answers a verdict per event." },
      {
        id: "AwsSolutions-APIG3",
        reason: "A WAF is the operator's choice: it costs per request and needs their rules.",
      },
      {
        id: "AwsSolutions-APIG4",
        reason: "Keys come with tenants; until then the API is for networks the operator trusts.",
      },
      {
        id: "AwsSolutions-APIG6",
        reason: "Access logs record each request; execution logs would hold event payloads.",
      },
      { id: "AwsSolutions-COG4", reason: "Callers are machines with keys, not users of a pool." },
      {
        id: "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        reason: "The role AWS documents for API Gateway to write logs, one for the account.",
      },
    );
    // The stack has its own output of the URL; this one would repeat it under a name with a hash.
    this.restApi.node.tryRemoveChild("Endpoint");
  }

  /**
   * Sends the requests of every route to the function that answers it. The other methods of its path go there too, HEAD
   * among them: without them API Gateway answers 403, as for a path that does not exist. A mock integration would answer
   * them for less, but it reads the body, which breaks it for a content type without a template.
   */
  addRoutes(functions: Record<HttpFunction, IFunction>): void {
    const all = Object.entries(routes).flatMap(([name, ofFunction]) => {
      // One permission for each function, because its policy holds 20 KB and every method would add two statements.
      const integration = new LambdaIntegration(functions[name as HttpFunction], { scopePermissionToMethod: false });
      return Object.values<Route>(ofFunction).map(({ method, path }) => ({ method, path, integration }));
    });
    for (const [path, ofPath] of Map.groupBy(all, (route) => route.path)) {
      const resource = this.restApi.root.resourceForPath(path);
      for (const { method, integration } of ofPath) resource.addMethod(method, integration);
      // HEAD must reach the function that answers GET.
      const [others] = ofPath.toSorted((a, b) => Number(b.method === "GET") - Number(a.method === "GET"));
      resource.addMethod("ANY", others?.integration);
    }
  }

  private addProblem(type: string, code: ErrorCode, detail: string): void {
    const { status } = errorTable[code];
    this.restApi.addGatewayResponse(type, {
      type: ResponseType.of(type),
      statusCode: String(status),
      responseHeaders: {
        "content-type": `'${PROBLEM_MEDIA_TYPE}'`,
        ...(STATUSES_WITH_RETRY_AFTER.has(status) && { "retry-after": `'${RETRY_AFTER_SECONDS}'` }),
      },
      templates: {
        "application/json": JSON.stringify(problemDocument(code, { detail, requestId: "$context.requestId" })),
      },
    });
  }
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
