import { Stack, Validations } from "aws-cdk-lib";
import {
  AccessLogFormat,
  type CfnRestApi,
  EndpointAccessMode,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  RestApi,
} from "aws-cdk-lib/aws-apigateway";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { CfnWebACLAssociation } from "aws-cdk-lib/aws-wafv2";
import { Construct } from "constructs";
import { besideParameter } from "../functions/core/beside-parameter.ts";
import type { Route } from "../functions/routes/route.ts";
import { type HttpFunction, routes } from "../functions/routes/routes.ts";
import { ACCESS_LOG_FORMAT } from "./access-log.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { CustomDomain } from "./custom-domain.ts";
import { addGatewayResponses } from "./gateway-responses.ts";
import { ipPolicy } from "./ip-policy.ts";
import { Logs } from "./logs.ts";
import type { StageConfig } from "./stage-config.ts";
import { isTraced } from "./trace-sampling.ts";
import { throttles } from "./throttles.ts";

export type EventApiProps = {
  readonly stage: StageConfig;
  readonly alarmTopic: AlarmTopic;
};

/** The regional REST API: throttled and logged; it hands bodies over as bytes and answers its own errors in our shape. */
export class Api extends Construct {
  readonly restApi: RestApi;
  /** The API's address, that of its domain if it has one. */
  readonly url: string;

  constructor(scope: Construct, id: string, { stage, alarmTopic }: EventApiProps) {
    super(scope, id);
    const { domain, ipAllowList } = stage;
    this.restApi = new RestApi(this, "Api", {
      // In the dimensions of its metrics, so another stack must not have it.
      restApiName: Stack.of(this).stackName,
      endpointConfiguration: { types: [EndpointType.REGIONAL] },
      ...(domain !== undefined && { disableExecuteApiEndpoint: !domain.keepDefaultEndpoint }),
      ...(ipAllowList !== undefined && { policy: ipPolicy(ipAllowList) }),
      // Bodies reach the function as bytes: as text, API Gateway would put U+FFFD where bytes are not UTF-8.
      binaryMediaTypes: ["*/*"],
      // The account's setting for all its REST APIs. It and the role stay when the stack is deleted (the CDK's default), so
      // that the APIs which share it go on logging.
      cloudWatchRole: true,
      deployOptions: {
        stageName: stage.name,
        ...throttles(),
        tracingEnabled: isTraced(stage),
        // Metrics of the whole API are free and come without this; each method's are custom metrics, at $0.30 a month.
        metricsEnabled: false,
        accessLogDestination: new LogGroupLogDestination(new Logs(this, "AccessLogs", { stage })),
        accessLogFormat: AccessLogFormat.custom(ACCESS_LOG_FORMAT),
      },
    });
    if (stage.tlsPolicy !== undefined) {
      // API Gateway negotiates by the API's policy, at the custom domain too. The CDK's RestApi has no property for it.
      // https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-update.html
      const resource = this.restApi.node.defaultChild as CfnRestApi;
      resource.securityPolicy = stage.tlsPolicy;
      resource.endpointAccessMode = EndpointAccessMode.STRICT;
    }
    if (stage.webAclArn !== undefined) {
      const { stageArn: resourceArn } = this.restApi.deploymentStage;
      new CfnWebACLAssociation(this, "WebAcl", { resourceArn, webAclArn: stage.webAclArn });
    }
    if (domain !== undefined) new CustomDomain(this, "Domain", { stage, domain, restApi: this.restApi });
    this.url = domain === undefined ? this.restApi.url : `https://${domain.name}/`;
    addGatewayResponses(this.restApi, stage.corsOrigins);
    new Alarm(this, "ServerErrorsAlarm", {
      topic: alarmTopic,
      description: "The API answers with errors of its own.",
      runbook: "server-errors",
      metric: this.restApi.metricServerError(),
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
    Validations.of(this.restApi).acknowledge(...ACKNOWLEDGED, ...(stage.webAclArn === undefined ? [WITHOUT_WAF] : []));
    // The stack has its own output of the URL; this one would repeat it under a name with a hash.
    this.restApi.node.tryRemoveChild("Endpoint");
  }

  /**
   * Sends the requests of every route to the function that answers it. The other methods of its path go there too, HEAD
   * and the preflights of browsers among them: without them API Gateway answers 403, as for a path that does not exist. A
   * mock integration would answer them for less, but it reads the body, which breaks it for a content type without a
   * template.
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
      // HEAD must reach the function that answers GET, also where this path is a value of another one's parameter.
      const beside = ofPath.some(({ method }) => method === "GET")
        ? []
        : all.filter((route) => besideParameter(path, route.path) !== undefined);
      const [others] = [...ofPath, ...beside].toSorted(
        (a, b) => Number(b.method === "GET") - Number(a.method === "GET"),
      );
      resource.addMethod("ANY", others?.integration);
    }
  }
}

const WITHOUT_WAF = {
  id: "AwsSolutions-APIG3",
  reason: "A WAF is the operator's choice (webAclArn): it costs per request and needs their rules.",
};

const ACKNOWLEDGED = [
  { id: "AwsSolutions-APIG2", reason: "The ingest function validates each event and answers a verdict per event." },
  {
    id: "AwsSolutions-APIG4",
    reason: "The functions check keys: refusals are problem documents, and a revoked key is refused within seconds.",
  },
  { id: "AwsSolutions-APIG6", reason: "Access logs record each request; execution logs would hold event payloads." },
  { id: "AwsSolutions-COG4", reason: "Callers are machines with keys, not users of a pool." },
  {
    id: "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
    reason: "The role AWS documents for API Gateway to write logs, one for the account.",
  },
];
