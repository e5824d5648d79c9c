import { physicalName, stableHexId, stableId } from "./physical-names.ts";
import type { Environment } from "./template.ts";

/** What a resource's return values are made of. `property` resolves one of its own properties (undefined = absent). */
export type Subject = {
  type: string;
  logicalId: string;
  environment: Environment;
  property: (name: string) => unknown;
};

type ReturnValues = { ref: (subject: Subject) => string; attributes: Record<string, (subject: Subject) => string> };

/**
 * `Ref` and `Fn::GetAtt` of one resource; undefined where the attribute is not known.
 * Types without a row have a generated name as their `Ref` and no attributes.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html, "Return values"
 */
export function refOf(subject: Subject): string {
  return RETURN_VALUES[subject.type]?.ref(subject) ?? generatedName(subject);
}

export function attributeOf(subject: Subject, attribute: string): string | undefined {
  const attributes = RETURN_VALUES[subject.type]?.attributes ?? {};
  return Object.hasOwn(attributes, attribute) ? attributes[attribute]?.(subject) : undefined;
}

export function knownAttributes(type: string): string[] {
  return Object.keys(RETURN_VALUES[type]?.attributes ?? {});
}

function generatedName({ environment, type, logicalId }: Subject): string {
  return physicalName(environment, type, logicalId);
}

function named(property: string): (subject: Subject) => string {
  return (subject) => {
    const name = subject.property(property);
    return typeof name === "string" && name !== "" ? name : generatedName(subject);
  };
}

function arn(service: string, resource: (subject: Subject) => string, scope: "regional" | "global" = "regional") {
  return (subject: Subject): string => {
    const region = scope === "regional" ? subject.environment.region : "";
    return `arn:aws:${service}:${region}:${subject.environment.accountId}:${resource(subject)}`;
  };
}

const shortId = (subject: Subject): string => stableId(subject.environment, subject.logicalId, 10);
const hexId = (prefix: string) => (subject: Subject) =>
  `${prefix}-${stableHexId(subject.environment, subject.logicalId, 17)}`;

const functionName = named("FunctionName");
const queueName = named("QueueName");
const ruleName = named("Name");
const clusterName = (subject: Subject): string => named("DBClusterIdentifier")(subject).toLowerCase();
const instanceName = (subject: Subject): string => named("DBInstanceIdentifier")(subject).toLowerCase();
const clusterResourceId = (subject: Subject): string =>
  `cluster-${stableId(subject.environment, subject.logicalId, 24).toUpperCase()}`;
/** `Ref` of a function may be its name or its ARN; a version's or alias's ARN is built on the ARN. */
const functionArnIn = (subject: Subject): string => {
  const value = String(subject.property("FunctionName"));
  const { region, accountId } = subject.environment;
  return value.startsWith("arn:") ? value : `arn:aws:lambda:${region}:${accountId}:function:${value}`;
};
const versionArn = (subject: Subject): string => `${functionArnIn(subject)}:1`;
const aliasArn = (subject: Subject): string => `${functionArnIn(subject)}:${String(subject.property("Name"))}`;
const databaseHost =
  (kind: "" | "ro-" | "instance") =>
  (subject: Subject): string => {
    const name = kind === "instance" ? instanceName(subject) : clusterName(subject);
    const group = kind === "instance" ? "" : `cluster-${kind}`;
    return `${name}.${group}${shortId(subject)}.${subject.environment.region}.rds.amazonaws.com`;
  };
const databasePort = (subject: Subject): string => {
  const port = subject.property("Port");
  return typeof port === "string" || typeof port === "number" ? String(port) : "5432";
};
const secretArn = arn("secretsmanager", (s) => `secret:${named("Name")(s)}-${stableId(s.environment, s.logicalId, 6)}`);
const topicArn = arn("sns", named("TopicName"));
const queueUrl = (subject: Subject): string =>
  `${subject.environment.sqsEndpoint}/${subject.environment.accountId}/${queueName(subject)}`;

const RETURN_VALUES: Record<string, ReturnValues> = {
  "AWS::Lambda::Function": {
    ref: functionName,
    attributes: { Arn: arn("lambda", (s) => `function:${functionName(s)}`) },
  },
  "AWS::Lambda::Version": { ref: versionArn, attributes: { FunctionArn: versionArn, Version: () => "1" } },
  "AWS::Lambda::Alias": { ref: aliasArn, attributes: { AliasArn: aliasArn } },
  "AWS::Lambda::EventSourceMapping": { ref: shortId, attributes: { Id: shortId } },
  "AWS::SQS::Queue": {
    ref: queueUrl,
    attributes: { Arn: arn("sqs", queueName), QueueName: queueName, QueueUrl: queueUrl },
  },
  "AWS::ApiGateway::RestApi": {
    ref: shortId,
    attributes: { RestApiId: shortId, RootResourceId: (s) => stableId(s.environment, `${s.logicalId}/`, 10) },
  },
  "AWS::ApiGateway::Resource": { ref: shortId, attributes: { ResourceId: shortId } },
  "AWS::ApiGateway::Deployment": { ref: shortId, attributes: { DeploymentId: shortId } },
  "AWS::ApiGateway::Stage": { ref: named("StageName"), attributes: {} },
  "AWS::Events::Rule": { ref: ruleName, attributes: { Arn: arn("events", (s) => `rule/${ruleName(s)}`) } },
  "AWS::RDS::DBCluster": {
    ref: clusterName,
    attributes: {
      DBClusterArn: arn("rds", (s) => `cluster:${clusterName(s)}`),
      DBClusterResourceId: clusterResourceId,
      "Endpoint.Address": databaseHost(""),
      "Endpoint.Port": (s) => databasePort(s),
      "ReadEndpoint.Address": databaseHost("ro-"),
      "MasterUserSecret.SecretArn": arn(
        "secretsmanager",
        (s) => `secret:rds!${clusterName(s)}-${stableId(s.environment, s.logicalId, 6)}`,
      ),
    },
  },
  "AWS::RDS::DBInstance": {
    ref: instanceName,
    attributes: {
      DBInstanceArn: arn("rds", (s) => `db:${instanceName(s)}`),
      "Endpoint.Address": databaseHost("instance"),
      "Endpoint.Port": (s) => databasePort(s),
    },
  },
  "AWS::SecretsManager::Secret": { ref: secretArn, attributes: { Id: secretArn } },
  "AWS::Logs::LogGroup": {
    ref: named("LogGroupName"),
    attributes: { Arn: arn("logs", (s) => `log-group:${named("LogGroupName")(s)}:*`) },
  },
  "AWS::IAM::Role": {
    ref: named("RoleName"),
    attributes: { Arn: arn("iam", (s) => `role/${named("RoleName")(s)}`, "global") },
  },
  "AWS::SNS::Topic": { ref: topicArn, attributes: { TopicArn: topicArn, TopicName: named("TopicName") } },
  "AWS::CloudWatch::Alarm": {
    ref: named("AlarmName"),
    attributes: { Arn: arn("cloudwatch", (s) => `alarm:${named("AlarmName")(s)}`) },
  },
  "AWS::EC2::VPC": { ref: hexId("vpc"), attributes: { VpcId: hexId("vpc") } },
  "AWS::EC2::Subnet": { ref: hexId("subnet"), attributes: { SubnetId: hexId("subnet") } },
  "AWS::EC2::SecurityGroup": { ref: hexId("sg"), attributes: { GroupId: hexId("sg") } },
};
