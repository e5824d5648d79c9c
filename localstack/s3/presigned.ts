import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Request } from "./fauxqs.ts";

/** Why a link is refused, as S3 says it; undefined for a good one. */
export type Refusal = { code: string; message: string; status: number };

/** The credentials of every function and command on this machine. */
const LOCAL_CREDENTIALS = { id: "local", secret: "local" };

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
const LONGEST_SECONDS = 604_800;

/** Checks a presigned address: its signature, over method, path and every parameter, and its end. */
export function refusePresigned({ method, headers, raw }: Request, now: Date): Refusal | undefined {
  const [path = "", query = ""] = (raw.url ?? "").split("?");
  const pairs = query.split("&").map((pair) => (pair.includes("=") ? pair : `${pair}=`));
  const parameters = new URLSearchParams(query);
  const get = (name: string): string => parameters.get(`X-Amz-${name}`) ?? "";
  const [id, ...scope] = get("Credential").split("/");
  const [day = "", region = "", service = "", terminator = ""] = scope;
  const seconds = Number(get("Expires"));
  const date = get("Date");
  if (get("Algorithm") !== ALGORITHM || !(seconds >= 1 && seconds <= LONGEST_SECONDS) || !DATE.test(date)) {
    return {
      code: "AuthorizationQueryParametersError",
      message: "A parameter of the signature is wrong.",
      status: 400,
    };
  }
  if (id !== LOCAL_CREDENTIALS.id) {
    return { code: "InvalidAccessKeyId", message: "There is no such access key on this machine.", status: 403 };
  }
  if (now.getTime() > Date.parse(date.replace(DATE, "$1-$2-$3T$4:$5:$6Z")) + seconds * 1_000) {
    return { code: "AccessDenied", message: "Request has expired", status: 403 };
  }
  const signed = get("SignedHeaders");
  const canonical = [
    method,
    path,
    pairs
      .filter((pair) => !pair.startsWith("X-Amz-Signature="))
      .toSorted()
      .join("&"),
    ...signed.split(";").map((name) => `${name}:${String(headers[name] ?? "").trim()}`),
    "",
    signed,
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const text = [ALGORITHM, date, scope.join("/"), createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = [day, region, service, terminator].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${LOCAL_CREDENTIALS.secret}`,
  );
  const [expected, given] = [hmac(key, text), Buffer.from(get("Signature"), "hex")];
  if (given.length === expected.length && timingSafeEqual(given, expected)) return undefined;
  return {
    code: "SignatureDoesNotMatch",
    message: "The request signature we calculated does not match the signature you provided.",
    status: 403,
  };
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
