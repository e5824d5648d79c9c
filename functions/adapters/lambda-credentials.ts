/**
 * In the bundles this takes the place of `@aws-sdk/credential-provider-node`, whose chain looks at profiles, SSO and
 * metadata services when the environment has no credentials. In Lambda it always has.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (AWS_ACCESS_KEY_ID and the others)
 */
export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";
