import { sign } from "aws4";

/** Of the function's role. */
export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken: string | undefined };

/**
 * The headers of a POST to `/` of a service, with its time and signature.
 * @param headers `host` among them
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signRequest(
  service: string,
  { region, credentials }: { region: string; credentials: Credentials },
  headers: Record<string, string>,
  body: string,
) {
  const { sessionToken, ...keys } = credentials;
  const request = { service, region, method: "POST", path: "/", headers: { ...headers }, body };
  return sign(request, sessionToken === undefined ? keys : { ...keys, sessionToken }).headers ?? {};
}
