import { physicalName, stableId } from "./physical-names.ts";
import type { Environment } from "./template.ts";

/** The inputs of a resource's return values. `property` resolves one of its properties (undefined = absent). */
export type Subject = {
  type: string;
  logicalId: string;
  environment: Environment;
  property: (name: string) => unknown;
};

type ReturnValues = { ref: (subject: Subject) => string; attributes: Record<string, (subject: Subject) => string> };

/**
 * `Ref` of a resource; undefined for a type without a row.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html, "Return values"
 */
export function refOf(subject: Subject): string | undefined {
  return RETURN_VALUES[subject.type]?.ref(subject);
}

/** `Fn::GetAtt` of a resource; undefined for an attribute without a row. */
export function attributeOf(subject: Subject, attribute: string): string | undefined {
  const attributes = RETURN_VALUES[subject.type]?.attributes ?? {};
  return Object.hasOwn(attributes, attribute) ? attributes[attribute]?.(subject) : undefined;
}

export function knownAttributes(type: string): string[] {
  return Object.keys(RETURN_VALUES[type]?.attributes ?? {});
}

function named(property: string): (subject: Subject) => string {
  return (subject) => {
    const name = subject.property(property);
    if (typeof name === "string" && name !== "") return name;
    return physicalName(subject.environment, subject.type, subject.logicalId);
  };
}

function arn(service: string, resource: (subject: Subject) => string): (subject: Subject) => string {
  return (subject) => {
    const { region, accountId } = subject.environment;
    return `arn:aws:${service}:${region}:${accountId}:${resource(subject)}`;
  };
}

const shortId = (subject: Subject): string => stableId(subject.environment, subject.logicalId, 10);

const functionName = named("FunctionName");
const queueName = named("QueueName");
const tableName = named("TableName");
const secretArn = arn("secretsmanager", (s) => `secret:${named("Name")(s)}-${stableId(s.environment, s.logicalId, 6)}`);
const bucketName = (subject: Subject): string => named("BucketName")(subject).toLowerCase();
const ruleName = named("Name");
const clusterName = (subject: Subject): string => named("DBClusterIdentifier")(subject).toLowerCase();
/** `Ref` of a function may be its name or its ARN; a version's ARN is built on the ARN. */
const versionArn = (subject: Subject): string => {
  const value = String(subject.property("FunctionName"));
  const { region, accountId } = subject.environment;
  return `${value.startsWith("arn:") ? value : `arn:aws:lambda:${region}:${accountId}:function:${value}`}:1`;
};
const queueUrl = (subject: Subject): string =>
  `${subject.environment.sqsEndpoint}/${subject.environment.accountId}/${queueName(subject)}`;

const RETURN_VALUES: Record<string, ReturnValues> = {
  "AWS::Lambda::Function": {
    ref: functionName,
    attributes: { Arn: arn("lambda", (s) => `function:${functionName(s)}`) },
  },
  "AWS::Lambda::Version": { ref: versionArn, attributes: {} },
  "AWS::SQS::Queue": {
    ref: queueUrl,
    attributes: { Arn: arn("sqs", queueName), QueueName: queueName },
  },
  "AWS::DynamoDB::Table": {
    ref: tableName,
    attributes: { Arn: arn("dynamodb", (s) => `table/${tableName(s)}`) },
  },
  "AWS::S3::Bucket": {
    ref: bucketName,
    attributes: { Arn: (s) => `arn:aws:s3:::${bucketName(s)}` },
  },
  "AWS::Logs::LogGroup": { ref: named("LogGroupName"), attributes: {} },
  "AWS::SNS::Topic": { ref: arn("sns", named("TopicName")), attributes: {} },
  "AWS::SecretsManager::Secret": { ref: secretArn, attributes: { Id: secretArn } },
  "AWS::ApiGateway::RestApi": {
    ref: shortId,
    attributes: { RootResourceId: (s) => stableId(s.environment, `${s.logicalId}/`, 10) },
  },
  "AWS::ApiGateway::Resource": { ref: shortId, attributes: {} },
  "AWS::ApiGateway::Stage": { ref: named("StageName"), attributes: {} },
  "AWS::Events::Rule": { ref: ruleName, attributes: { Arn: arn("events", (s) => `rule/${ruleName(s)}`) } },
  "AWS::RDS::DBCluster": {
    ref: clusterName,
    attributes: {
      DBClusterArn: arn("rds", (s) => `cluster:${clusterName(s)}`),
      "MasterUserSecret.SecretArn": arn(
        "secretsmanager",
        (s) => `secret:rds!${clusterName(s)}-${stableId(s.environment, s.logicalId, 6)}`,
      ),
    },
  },
};
