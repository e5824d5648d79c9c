import { createHmac, hash } from "node:crypto";

export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken: string | undefined };

/**
 * Makes the signer of one service's requests: the headers of a POST to `/` with these and its signature. Its key is made once a day, which
 * leaves two hashes and an HMAC a request.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function createSigner({
  service,
  region,
  credentials,
}: {
  service: string;
  region: string;
  credentials: Credentials;
}) {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  let keyOfDay: { day: string; key: Buffer } = { day: "", key: Buffer.alloc(0) };

  function keyOf(day: string): Buffer {
    if (keyOfDay.day !== day) {
      const parts = [day, region, service, "aws4_request"];
      keyOfDay = { day, key: parts.reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`)) };
    }
    return keyOfDay.key;
  }

  /** @param headers with lower-case names, `host` among them */
  return function sign(headers: Record<string, string>, body: string, now: Date): Record<string, string> {
    const at = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
    const day = at.slice(0, DAY_LENGTH);
    const signed: Record<string, string> = { ...headers, "x-amz-date": at };
    if (sessionToken !== undefined) signed["x-amz-security-token"] = sessionToken;
    const sorted = Object.keys(signed).toSorted();
    const lines = sorted.map((name) => `${name}:${signed[name]}\n`).join("");
    const names = sorted.join(";");
    const canonical = `POST\n/\n\n${lines}\n${names}\n${hash("sha256", body, "hex")}`;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${hash("sha256", canonical, "hex")}`;
    const signature = createHmac("sha256", keyOf(day)).update(text).digest("hex");
    signed["authorization"] =
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    return signed;
  };
}

const DAY_LENGTH = "20261130".length;

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
