/**
 * Resource types that have no meaning on this machine, each with the reason. A type that is neither here nor read by
 * `read-stack.ts` stops the start: add a line only if leaving it out changes nothing a client or a function can see.
 */
export const INERT_TYPES: Record<string, string> = {
  "AWS::ApiGateway::Account": "the account's role for API Gateway logs",
  "AWS::ApiGateway::BasePathMapping": "the API has its address on the loopback interface, not a domain",
  "AWS::ApiGateway::Deployment": "a snapshot of the routes; locally they are read directly",
  "AWS::ApiGateway::DomainName": "the API has its address on the loopback interface, not a domain",
  "AWS::CDK::Metadata": "usage data for CDK's authors",
  "AWS::CloudWatch::Alarm": "a laptop pages nobody",
  "AWS::EC2::RouteTable": "everything runs on the loopback interface",
  "AWS::EC2::SecurityGroup": "everything runs on the loopback interface",
  "AWS::EC2::Subnet": "everything runs on the loopback interface",
  "AWS::EC2::SubnetRouteTableAssociation": "everything runs on the loopback interface",
  "AWS::EC2::VPC": "everything runs on the loopback interface",
  "AWS::IAM::Policy": "permissions are not checked locally; stack tests check them",
  "AWS::IAM::Role": "permissions are not checked locally; stack tests check them",
  "AWS::Lambda::Permission": "permissions are not checked locally; stack tests check them",
  "AWS::Lambda::Version": "locally there is one version of a function",
  "AWS::Logs::LogGroup": "logs go to the terminal",
  "AWS::RDS::DBInstance": "the local PostgreSQL is the cluster's only instance",
  "AWS::RDS::DBSubnetGroup": "everything runs on the loopback interface",
  "AWS::Route53::RecordSet": "the API has its address on the loopback interface, not a domain",
  "AWS::S3::BucketPolicy": "it refuses calls without TLS; everything runs on the loopback interface",
  "AWS::SNS::Subscription": "the receiver of alarms; a laptop pages nobody",
  "AWS::SNS::Topic": "alarms go there; a laptop pages nobody",
  "AWS::SNS::TopicPolicy": "permissions are not checked locally; stack tests check them",
  "AWS::SQS::QueuePolicy": "permissions are not checked locally; stack tests check them",
  "AWS::SecretsManager::ResourcePolicy": "permissions are not checked locally; stack tests check them",
  "AWS::WAFv2::WebACLAssociation": "the rules of a web ACL are outside the stack; this machine alone reaches the API",
  "Custom::S3AutoDeleteObjects": "empties a bucket when the stack is deleted; locally that is the data folder",
  "Custom::VpcRestrictDefaultSG": "everything runs on the loopback interface",
};
