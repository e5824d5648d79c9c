import { Match, type Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { QUERY_MAX_CONCURRENCY } from "../../functions/core/function-limits.ts";
import { FUNCTIONS } from "../../functions/core/functions.ts";
import { API_BURST_LIMIT, API_RATE_LIMIT } from "../../functions/core/limits.ts";
import type { Route } from "../../functions/routes/route.ts";
import { routes } from "../../functions/routes/routes.ts";
import { stageConfig } from "../../lib/stage-config.ts";
import { readStack } from "../../localstack/template/read-stack.ts";
import type { Template as LocalTemplate } from "../../localstack/template/template.ts";
import { CERTIFICATE_SETTINGS, FULL_SETTINGS } from "./full-settings.ts";
import { routesOf, stageWith, synthesizeTemplate, templateOf } from "./support.ts";

const plain = templateOf("prod");
const template = templateOf(stageWith(FULL_SETTINGS));
const withCertificates = templateOf(stageWith(CERTIFICATE_SETTINGS));
const withSettings = (settings: object) => templateOf(stageWith(settings));

type Resource = { Properties: Record<string, unknown> };
const propertiesOf = (template: Template, type: string) =>
  Object.values(template.findResources(type) as Record<string, Resource>).map(({ Properties }) => Properties);
const idsOf = (template: Template, type: string) => Object.keys(template.findResources(type));

/** Resources of the options, of which a stage without settings has none. */
const OPTIONAL_TYPES = [
  "AWS::ApiGateway::DomainName",
  "AWS::ApiGateway::BasePathMapping",
  "AWS::Route53::RecordSet",
  "AWS::WAFv2::WebACLAssociation",
];

describe("a stage without settings", () => {
  it.each(["dev", "prod"] as const)("the stage %s has no domain, web ACL, list of addresses or boundary", (stage) => {
    const template = templateOf(stage);

    for (const type of OPTIONAL_TYPES) template.resourceCountIs(type, 0);
    const [api = {}] = propertiesOf(template, "AWS::ApiGateway::RestApi");
    expect(Object.keys(api).filter((name) => /Policy|Disable|AccessMode/.test(name))).toEqual([]);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/PermissionsBoundary|CORS_ORIGINS|access-control/);
  });

  it("a stage without settings keeps a concurrency for queries in prod, and none in dev", () => {
    const reserved = (stage: "dev" | "prod") =>
      propertiesOf(templateOf(stage), "AWS::Lambda::Function")
        .map(({ ReservedConcurrentExecutions: reservation }) => reservation)
        .filter((reservation) => reservation !== undefined);

    expect(reserved("prod")).toEqual([QUERY_MAX_CONCURRENCY]);
    expect(reserved("dev")).toEqual([]);
  });
});

describe("a custom domain", () => {
  it("a custom domain leads to the stage, with its record, and the default address is off", () => {
    template.hasResourceProperties("AWS::ApiGateway::DomainName", {
      DomainName: "events.example.com",
      RegionalCertificateArn: FULL_SETTINGS.domain.certificateArn,
      EndpointConfiguration: { Types: ["REGIONAL"] },
    });
    template.hasResourceProperties("AWS::ApiGateway::BasePathMapping", {
      BasePath: Match.absent(),
      DomainName: { Ref: idsOf(template, "AWS::ApiGateway::DomainName")[0] },
      Stage: { Ref: idsOf(template, "AWS::ApiGateway::Stage")[0] },
    });
    template.hasResourceProperties("AWS::Route53::RecordSet", {
      Name: "events.example.com.",
      Type: "A",
      HostedZoneId: "Z0123456789ABC",
      AliasTarget: Match.objectLike({ DNSName: Match.anyValue() }),
    });
    template.hasResourceProperties("AWS::ApiGateway::RestApi", { DisableExecuteApiEndpoint: true });
  });

  it("a custom domain is the address of the stack's output", () => {
    template.hasOutput("ApiUrl", { Value: "https://events.example.com/" });
    expect(JSON.stringify(plain.findOutputs("ApiUrl"))).toContain("execute-api");
  });

  it("a custom domain without a hosted zone has no record, and one for the time of a change leaves the default on", () => {
    const { name, certificateArn } = FULL_SETTINGS.domain;
    const template = withSettings({ domain: { name, certificateArn, keepDefaultEndpoint: true } });

    template.resourceCountIs("AWS::Route53::RecordSet", 0);
    template.hasResourceProperties("AWS::ApiGateway::RestApi", { DisableExecuteApiEndpoint: false });
    template.hasResourceProperties("AWS::ApiGateway::DomainName", {
      SecurityPolicy: "TLS_1_2",
      EndpointAccessMode: Match.absent(),
    });
  });
});

describe("TLS", () => {
  it("the TLS policy holds for the API and its domain, with the strict access mode that AWS wants with it", () => {
    const policy = { SecurityPolicy: FULL_SETTINGS.tlsPolicy, EndpointAccessMode: "STRICT" };

    template.hasResourceProperties("AWS::ApiGateway::RestApi", policy);
    template.hasResourceProperties("AWS::ApiGateway::DomainName", policy);
  });

  it("the TLS policy needs no domain", () => {
    const template = withSettings({ tlsPolicy: "SecurityPolicy_TLS13_1_3_2025_09" });

    template.hasResourceProperties("AWS::ApiGateway::RestApi", {
      SecurityPolicy: "SecurityPolicy_TLS13_1_3_2025_09",
      EndpointAccessMode: "STRICT",
    });
  });

  it("client certificates are asked for at the domain, by the truststore's version, and nowhere else", () => {
    const template = withCertificates;

    template.hasResourceProperties("AWS::ApiGateway::DomainName", {
      MutualTlsAuthentication: { TruststoreUri: "s3://truststore/clients.pem", TruststoreVersion: "v1" },
      SecurityPolicy: "TLS_1_2",
    });
    template.hasResourceProperties("AWS::ApiGateway::RestApi", { DisableExecuteApiEndpoint: true });
  });
});

describe("the callers of the API", () => {
  it("the callers pass the rules of the web ACL at the API's stage", () => {
    const [{ ResourceArn: resource, WebACLArn: acl } = {}] = propertiesOf(template, "AWS::WAFv2::WebACLAssociation");

    expect(acl).toBe(FULL_SETTINGS.webAclArn);
    expect(JSON.stringify(resource)).toMatch(/:apigateway:.*::\/restapis\/.*\/stages\//);
    expect(JSON.stringify(resource)).toContain(`{"Ref":"${idsOf(template, "AWS::ApiGateway::Stage")[0]}"}`);
  });

  it("the callers come from the listed ranges: everybody else is denied", () => {
    const statement = { Action: "execute-api:Invoke", Principal: { AWS: "*" }, Resource: "execute-api:/*" };

    template.hasResourceProperties("AWS::ApiGateway::RestApi", {
      Policy: {
        Version: "2012-10-17",
        Statement: [
          { ...statement, Effect: "Allow" },
          {
            ...statement,
            Effect: "Deny",
            Condition: { NotIpAddress: { "aws:SourceIp": ["203.0.113.0/24", "198.51.100.7/32"] } },
          },
        ],
      },
    });
  });

  it.each([
    ["the list of addresses", { ipAllowList: ["203.0.113.0/24"] }, { ipAllowList: ["203.0.113.0/25"] }],
    ["the origins", { corsOrigins: ["https://a.example.com"] }, { corsOrigins: ["https://b.example.com"] }],
    ["the TLS policy", {}, { tlsPolicy: "SecurityPolicy_TLS13_1_3_2025_09" }],
  ])("the callers of a deployed API meet a change of %s, because the API is deployed again", (_, before, after) => {
    const deployment = (settings: object) => idsOf(withSettings(settings), "AWS::ApiGateway::Deployment")[0];

    expect(deployment(after)).not.toBe(deployment(before));
  });

  it("the callers of a deployed API meet no new deployment where no setting changed", () => {
    const again = synthesizeTemplate(stageWith(FULL_SETTINGS));

    expect(idsOf(again, "AWS::ApiGateway::Deployment")).toEqual(idsOf(template, "AWS::ApiGateway::Deployment"));
  });
});

describe("pages of other origins", () => {
  const headersOf = (template: Template) =>
    propertiesOf(template, "AWS::ApiGateway::GatewayResponse").map(({ ResponseParameters: headers }) => headers);

  it("pages of other origins are known to the functions that answer HTTP requests, and to no others", () => {
    const ids = Object.entries(template.findResources("AWS::Lambda::Function") as Record<string, Resource>)
      .filter(([, { Properties }]) => JSON.stringify(Properties["Environment"] ?? {}).includes("CORS_ORIGINS"))
      .map(([id]) => id);

    expect(ids).toHaveLength(Object.keys(routes).length);
    template.resourcePropertiesCountIs(
      "AWS::Lambda::Function",
      {
        Environment: {
          Variables: Match.objectLike({ CORS_ORIGINS: "https://app.example.com http://localhost:5173" }),
        },
      },
      Object.keys(routes).length,
    );
  });

  it("pages of the one other origin read API Gateway's own errors, and pages of a third do not", () => {
    const headers = headersOf(withSettings({ corsOrigins: ["https://app.example.com"] }));

    expect(headers.length).toBeGreaterThan(5);
    for (const each of headers) {
      expect(each).toMatchObject({
        "gatewayresponse.header.access-control-allow-origin": "'https://app.example.com'",
        "gatewayresponse.header.access-control-expose-headers": "'*'",
      });
    }
  });

  it("pages of several other origins read API Gateway's own errors, which then name no origin", () => {
    for (const each of headersOf(template)) {
      expect(each).toMatchObject({ "gatewayresponse.header.access-control-allow-origin": "'*'" });
    }
  });

  it("pages of other origins reach a function with OPTIONS on every path", () => {
    const paths = Object.values(routes).flatMap((each) => Object.values<Route>(each).map(({ path }) => path));

    expect(routesOf(template)).toEqual(expect.arrayContaining([...new Set(paths)].map((path) => `ANY ${path}`)));
  });
});

describe("the throttles of the API", () => {
  type Settings = {
    ResourcePath: string;
    HttpMethod: string;
    ThrottlingRateLimit: number;
    ThrottlingBurstLimit: number;
    MetricsEnabled?: boolean;
  };
  const settings = propertiesOf(plain, "AWS::ApiGateway::Stage").flatMap(
    ({ MethodSettings }) => MethodSettings as Settings[],
  );
  const limitsOf = ({ method, path }: Route) =>
    settings.filter(
      (each) => each.ResourcePath === path.replaceAll("/", "~1").replace("~1", "/~1") && each.HttpMethod === method,
    );

  it("the throttles give POST /events the whole rate and burst of the API", () => {
    expect(limitsOf(routes.ingest.sendEvents)).toMatchObject([
      { ThrottlingRateLimit: API_RATE_LIMIT, ThrottlingBurstLimit: API_BURST_LIMIT },
    ]);
  });

  it("the throttles leave ingest at least two fifths of its rate that no other route can use", () => {
    const others = Object.entries(routes)
      .filter(([name]) => name !== "ingest")
      .flatMap(([, ofFunction]) => Object.values<Route>(ofFunction));
    const limits = others.flatMap(limitsOf);
    const sum = (name: "ThrottlingRateLimit" | "ThrottlingBurstLimit") =>
      limits.reduce((total, each) => total + each[name], 0);

    expect(limits).toHaveLength(others.length);
    for (const each of limits) expect(Math.min(each.ThrottlingRateLimit, each.ThrottlingBurstLimit)).toBeGreaterThan(0);
    expect(sum("ThrottlingRateLimit")).toBeLessThanOrEqual(0.6 * API_RATE_LIMIT);
    expect(sum("ThrottlingBurstLimit")).toBeLessThanOrEqual(0.6 * API_BURST_LIMIT);
  });

  it("the throttles of methods without a route are one setting for the stage, because API Gateway has none for ANY", () => {
    const { length } = Object.values(routes).flatMap((each) => Object.values<Route>(each));

    expect(settings).toHaveLength(length + 1);
    expect(settings.filter(({ HttpMethod }) => HttpMethod === "*")).toMatchObject([
      { ResourcePath: "/*", ThrottlingRateLimit: 100, ThrottlingBurstLimit: 100 },
    ]);
    expect(settings.map(({ HttpMethod }) => HttpMethod)).not.toContain("ANY");
  });

  it("the throttles switch no metrics of single methods on, which AWS charges for", () => {
    expect(settings.filter(({ MetricsEnabled }) => MetricsEnabled)).toEqual([]);
    plain.hasResourceProperties("AWS::CloudWatch::Alarm", {
      MetricName: "5XXError",
      Dimensions: [{ Name: "ApiName", Value: "Sluice-prod" }],
    });
  });
});

describe("the stage's place in an account", () => {
  it("the functions have the concurrency that the stage reserves, each its own", () => {
    const reserved = propertiesOf(template, "AWS::Lambda::Function").map(
      (each) => each["ReservedConcurrentExecutions"],
    );

    expect(new Set(reserved.filter((each) => each !== undefined))).toEqual(
      new Set(FUNCTIONS.map((name) => FULL_SETTINGS.reservedConcurrency[name])),
    );
    withSettings({ reservedConcurrency: { query: 7 } }).resourcePropertiesCountIs(
      "AWS::Lambda::Function",
      { ReservedConcurrentExecutions: 7 },
      1,
    );
  });

  it("every resource that can have tags has those of the stage", () => {
    for (const type of [
      "AWS::SQS::Queue",
      "AWS::Lambda::Function",
      "AWS::RDS::DBCluster",
      "AWS::ApiGateway::RestApi",
    ]) {
      for (const properties of propertiesOf(template, type)) {
        const label = `${type} ${JSON.stringify(properties["Handler"])}`;
        // The CDK's own functions have no tags.
        if (properties["Handler"] === "__entrypoint__.handler") continue;
        expect(properties["Tags"], label).toEqual(
          expect.arrayContaining([
            { Key: "cost-center", Value: "42" },
            { Key: "team", Value: "orders" },
          ]),
        );
      }
    }
  });

  it("every role has the boundary, those of the CDK's own functions too", () => {
    const roles = propertiesOf(template, "AWS::IAM::Role");

    expect(roles.length).toBeGreaterThan(FUNCTIONS.length);
    for (const role of roles) expect(role["PermissionsBoundary"]).toBe(FULL_SETTINGS.permissionsBoundaryArn);
  });

  it("the database stands in the existing network, one instance a zone, and the stack makes no network", () => {
    const { vpcId, subnets } = FULL_SETTINGS.existingVpc;

    for (const type of ["AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::RouteTable"]) template.resourceCountIs(type, 0);
    template.hasResourceProperties("AWS::RDS::DBSubnetGroup", { SubnetIds: Object.values(subnets) });
    template.hasResourceProperties("AWS::EC2::SecurityGroup", { VpcId: vpcId, SecurityGroupIngress: Match.absent() });
    expect(propertiesOf(template, "AWS::RDS::DBInstance").map((each) => each["AvailabilityZone"])).toEqual(
      Object.keys(subnets),
    );
  });
});

describe("the local runtime", () => {
  const read = (template: Template) =>
    readStack(
      { stackName: "Sluice-own", template: template.toJSON() as LocalTemplate, assetPath: (hash) => `/assets/${hash}` },
      { sqsEndpoint: "http://127.0.0.1:9324" },
    );

  it.each([
    ["every setting for browsers", template],
    ["every setting for client certificates", withCertificates],
  ])("the local runtime reads a stack with %s, and it has the routes of one without", (_, template) => {
    const { api, functions } = read(template);

    expect(api.routes.map(({ method, path }) => `${method} ${path}`)).toEqual(
      read(templateOf(stageConfig("prod"))).api.routes.map(({ method, path }) => `${method} ${path}`),
    );
    expect(functions.map(({ name }) => name)).toHaveLength(FUNCTIONS.length);
  });

  it("the local runtime has the origins, the reserved concurrency and the headers of errors", () => {
    const { api, functions } = read(template);

    expect(functions.filter(({ environment }) => environment["CORS_ORIGINS"] !== undefined)).toHaveLength(
      Object.keys(routes).length,
    );
    expect(functions.map(({ reservedConcurrency }) => reservedConcurrency)).toContain(
      FULL_SETTINGS.reservedConcurrency["query"],
    );
    for (const { headers } of api.gatewayResponses) expect(headers["access-control-allow-origin"]).toBe("*");
  });
});
