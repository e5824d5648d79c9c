import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from "aws-cdk-lib/aws-iam";

/**
 * The policy of an API that only these ranges of addresses may call. The refusal stands by itself, so that no other
 * statement, nor a policy of the account, lets somebody in.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
 */
export function ipPolicy(ranges: readonly string[]): PolicyDocument {
  const every = { principals: [new AnyPrincipal()], actions: ["execute-api:Invoke"], resources: ["execute-api:/*"] };
  return new PolicyDocument({
    statements: [
      new PolicyStatement({ ...every, effect: Effect.ALLOW }),
      new PolicyStatement({ ...every, effect: Effect.DENY, conditions: { NotIpAddress: { "aws:SourceIp": ranges } } }),
    ],
  });
}
