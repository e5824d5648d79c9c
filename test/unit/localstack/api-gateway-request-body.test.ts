import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { BODY_LIMIT_BYTES, DISCARD_LIMIT_BYTES } from "../../../localstack/api-gateway/limits.ts";
import { readBody } from "../../../localstack/api-gateway/request-body.ts";

function requestOf(chunks: Iterable<Buffer> | AsyncIterable<Buffer>, encoding?: string): IncomingMessage {
  const headers = encoding === undefined ? {} : { "content-encoding": encoding };
  return Object.assign(Readable.from(chunks, { objectMode: false }), { headers }) as unknown as IncomingMessage;
}

describe("a request body", () => {
  it("a request body is what the client sent, in however many pieces", async () => {
    const body = await readBody(requestOf([Buffer.from("one "), Buffer.from("two")]));

    expect(body).toEqual({ kind: "body", bytes: Buffer.from("one two") });
  });

  it.each([
    [0, "body"],
    [1, "too large"],
  ])("a request body of the limit and %i bytes more is: %s", async (more, kind) => {
    expect(await readBody(requestOf([Buffer.alloc(BODY_LIMIT_BYTES), Buffer.alloc(more)]))).toMatchObject({ kind });
  });

  it.each([
    ["gzip", gzipSync, 0, "body"],
    ["gzip", gzipSync, 1, "inflates too large"],
    ["deflate", deflateSync, 0, "body"],
    ["deflate", deflateSync, 1, "inflates too large"],
  ])("a request body that %s inflates to the limit and %i bytes more is: %s", async (encoding, encode, more, kind) => {
    const body = await readBody(requestOf([encode(Buffer.alloc(BODY_LIMIT_BYTES + more))], encoding));

    expect(body.kind).toBe(kind);
  });

  it("a request body over the limit is read no further than the bound, and not kept", async () => {
    let read = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    const endless = (async function* () {
      for (;;) {
        read += chunk.length;
        yield chunk;
        await new Promise(setImmediate);
      }
    })();
    const request = requestOf(endless);

    expect(await readBody(request)).toEqual({ kind: "too large" });
    request.destroy();

    expect(read).toBeLessThan(DISCARD_LIMIT_BYTES + 16 * chunk.length);
  });

  it("a request body without a byte needs no encoding", async () => {
    expect(await readBody(requestOf([], "gzip"))).toMatchObject({ kind: "body" });
  });
});
