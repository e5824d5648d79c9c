import { createHash } from "node:crypto";
import type { Fauxqs, Reply, Request } from "./fauxqs.ts";
import { type Refusal, refusePresigned } from "./presigned.ts";

/**
 * Makes fauxqs 2.4.1's S3 refuse what a private bucket of S3 refuses and fauxqs does not look at, and what fauxqs would
 * answer without doing it. Each refusal has a contract test that fails without it.
 */
export function guard(app: ReturnType<Fauxqs["buildApp"]>, { S3Error, computeChecksum }: Fauxqs): void {
  const refuse = (reply: Reply, { code, message, status }: Refusal): Reply =>
    reply
      .header("content-type", "application/xml")
      .status(status)
      .send(new S3Error(code, message, status).toXml());

  app.addHook("onRequest", async (request, reply) => {
    const refusal = refuseRequest(request, new Date());
    if (refusal !== undefined) return refuse(reply, refusal);
    const { searchParams } = new URL(request.raw.url ?? "/", "http://127.0.0.1");
    const disposition = searchParams.get("response-content-disposition");
    if (disposition !== null) reply.header("content-disposition", disposition);
    return undefined;
  });

  app.addHook("preHandler", async ({ headers, body }, reply) => {
    if (!(body instanceof Uint8Array)) return undefined;
    if (isChunked(headers)) return undefined;
    const wrong = CHECKSUMS.some(([header, algorithm]) => {
      const given = headers[header];
      return given !== undefined && given !== (algorithm === "MD5" ? md5(body) : computeChecksum(algorithm, body));
    });
    if (!wrong) return undefined;
    return refuse(reply, {
      code: "BadDigest",
      message: "The checksum you specified did not match what we received.",
      status: 400,
    });
  });
}

const CHECKSUMS = [
  ["x-amz-checksum-crc32", "CRC32"],
  ["x-amz-checksum-sha1", "SHA1"],
  ["x-amz-checksum-sha256", "SHA256"],
  ["content-md5", "MD5"],
] as const;

const md5 = (body: Uint8Array): string => createHash("md5").update(body).digest("base64");

function refuseRequest(request: Request, now: Date): Refusal | undefined {
  const { method, headers, raw } = request;
  const { pathname, searchParams } = new URL(raw.url ?? "/", "http://127.0.0.1");
  if (searchParams.has("X-Amz-Signature")) {
    const refusal = refusePresigned(request, now);
    if (refusal !== undefined) return refusal;
  } else if (!(headers.authorization ?? "").startsWith("AWS4-HMAC-SHA256 ")) {
    return { code: "AccessDenied", message: "Access Denied", status: 403 };
  }
  const unknown = [...searchParams.keys()].find((name) => !KNOWN_PARAMETERS.test(name));
  const condition = ["if-none-match", "if-match"].find((name) => method === "PUT" && headers[name] !== undefined);
  const isOfBucket = pathname.split("/").filter(Boolean).length < 2;
  if (isOfBucket && (method === "PUT" || method === "DELETE")) {
    return notHere("the template makes and removes buckets");
  }
  if (unknown !== undefined) return notHere(`the parameter ${unknown} is not known`);
  if (condition !== undefined) return notHere(`the header ${condition} of a PUT is not known`);
  if (isChunked(headers)) return notHere("bodies in chunks are not known; send bytes whose length is known");
  return undefined;
}

/** The SDK sends a stream so, with its checksum behind it, which fauxqs does not compare. */
const isChunked = ({ "content-encoding": encoding = "" }: Request["headers"]): boolean =>
  encoding.includes("aws-chunked");

/** Parameters of the calls that fauxqs knows: objects, multipart uploads, lists, and of signatures. */
const KNOWN_PARAMETERS =
  /^(?:X-Amz-.*|x-id|x-amz-checksum-mode|uploads|uploadId|partNumber|delete|list-type|prefix|delimiter|max-keys|start-after|continuation-token|marker|response-content-disposition)$/;

const notHere = (why: string): Refusal => ({
  code: "NotImplemented",
  message: `Not implemented on this machine: ${why}.`,
  status: 501,
});
