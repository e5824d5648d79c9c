/**
 * In the bundles this takes the place of `@aws-sdk/credential-provider-node`, whose chain looks at profiles, SSO and
 * metadata services when the environment has no credentials. Lambda sets them for every function without SnapStart,
 * which Node.js does not have (https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html).
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (AWS_ACCESS_KEY_ID and the others)
 */
export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";
