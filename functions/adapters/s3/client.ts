import { S3Client } from "@aws-sdk/client-s3";

/** A piece of 8 MiB takes a second at most within a region; a connection that hangs ends with it. */
const CONNECTION_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 3;

/**
 * Makes the client of a function's bucket; endpoint and region come from the environment, as with every SDK client. At another
 * endpoint than AWS's own, a bucket is in the path: no name server knows it as a part of the host.
 */
export function createS3(environment: { AWS_ENDPOINT_URL?: string; AWS_ENDPOINT_URL_S3?: string }): S3Client {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL;
  return new S3Client({
    forcePathStyle: endpoint !== undefined,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK logs a warning and waits on.
      throwOnRequestTimeout: true,
    },
  });
}
