import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSinkAddresses } from "../../functions/adapters/http/sink-address.ts";
import { createSlackNotifier } from "../../functions/adapters/http/slack.ts";
import { createWebhookNotifier } from "../../functions/adapters/http/webhook.ts";
import type { Notice } from "../../functions/core/notifier.ts";
import {
  RESPONSE_KEPT_MAX_BYTES,
  RESPONSE_READ_MAX_BYTES,
  SINK_HEADERS_MAX,
} from "../../functions/core/subscription-limits.ts";
import { selfSigned } from "../support/certificate.ts";
import { type HttpSink, startHttpSink } from "../support/http-sink.ts";
import { deliveryOf, eventText, EXACT, newSecret, noticeOf, seals } from "../support/notices.ts";

const soon = () => Date.now() + 10_000;

/** A webhook notifier and its sink; the notice is signed under the secrets. */
async function open(sinkOptions: Partial<Notice<"webhook">["sink"]> = {}, count = 1) {
  const sink = await startHttpSink();
  onTestFinished(sink.stop);
  const notifier = newNotifier();
  const secrets = await Promise.all(Array.from({ length: count }, newSecret));
  const notice = noticeOf<"webhook">({ type: "webhook", url: sink.url, ...sinkOptions }, { secrets });
  return { sink, notifier, secrets, notice };
}

function firstOf({ received: [first] }: HttpSink) {
  if (first === undefined) throw new Error("Nothing was received.");
  return first;
}

function newNotifier() {
  const addresses = createSinkAddresses({ allowHttp: true });
  return createWebhookNotifier({ addresses, allowHttp: true, seals });
}

describe("a webhook", () => {
  it.each([
    { mode: "structured", format: "structured", count: 1, isBatch: false, type: "application/cloudevents+json" },
    { mode: "binary", format: "binary", count: 1, isBatch: false, type: "application/json" },
    { mode: "batch", format: "structured", count: 3, isBatch: true, type: "application/cloudevents-batch+json" },
    { mode: "batch", format: "binary", count: 1, isBatch: true, type: "application/cloudevents-batch+json" },
  ] as const)(
    "in $mode mode ($format, $count) is verified by standardwebhooks and svix, with any secret of a rotation",
    async ({ format, count, isBatch, type }) => {
      const { sink, notifier, secrets, notice } = await open({ format }, 3);
      const deliveries = Array.from({ length: count }, (_, index) => deliveryOf(eventText({ id: `e-${index}` })));

      expect(await notifier.notify({ ...notice, deliveries, isBatch }, soon())).toEqual({
        kind: "delivered",
        code: 204,
      });

      const { headers, body } = firstOf(sink);
      expect(headers["content-type"]).toBe(type);
      expect(headers["webhook-signature"]?.toString().split(" ")).toHaveLength(6);
      expect(body.toString()).toContain(EXACT);
      for (const { secret } of secrets) {
        for (const Webhook of [StandardWebhook, SvixWebhook]) {
          const receiver = new Webhook(secret);
          const verify = (text: string) => () => receiver.verify(text, headers as Record<string, string>);
          expect(verify(body.toString())).not.toThrow();
          expect(verify(`${body.toString()} `)).toThrow("No matching signature");
        }
      }
    },
  );

  it("has the place of the attempt in a trace", async () => {
    const { sink, notifier, notice } = await open();

    await notifier.notify(notice, soon());

    expect(firstOf(sink).headers["traceparent"]).toBe(notice.traceparent);
  });

  it("has the same id at each attempt, and the time of that attempt", async () => {
    const { sink, notifier, notice } = await open();

    await notifier.notify(notice, soon());
    await notifier.notify(
      { ...notice, deliveries: notice.deliveries.map((each) => ({ ...each, attempt: 2 })) },
      soon(),
    );

    const ids = sink.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toEqual([notice.id, notice.id]);
    for (const { headers } of sink.received) {
      expect(Math.abs(Date.now() / 1_000 - Number(headers["webhook-timestamp"]))).toBeLessThan(5);
    }
  });

  it("has the headers of the subscription, and none of them in place of ours", async () => {
    const forged = Object.fromEntries(OURS.map((name) => [name, "forged"]));
    const { sink, notifier, notice } = await open({
      headers: {
        Authorization: "Bearer token-1",
        "X-A": "b c",
        "x-bad": "a\r\nwebhook-id: forged",
        "no name": "x",
        ...forged,
      },
    });

    expect(await notifier.notify(notice, soon())).toMatchObject({ kind: "delivered" });

    const { headers, rawHeaders } = firstOf(sink);
    expect(headers).toMatchObject({ authorization: "Bearer token-1", "x-a": "b c", "user-agent": "Sluice" });
    expect(rawHeaders.join("\n")).not.toContain("forged");
    expect(headers["webhook-id"]).toBe(notice.id);
  });

  it.each([...OURS, "", "no name", "a:b", "x\r\ny", "é", "x".repeat(101)])(
    "may not have a header %j of its own",
    async (name) => {
      const notifier = newNotifier();

      const refused = await notifier.check(
        { type: "webhook", url: "http://127.0.0.1/", headers: { [name]: "x" } },
        soon(),
      );

      expect(refused).toContain(JSON.stringify(name));
    },
  );

  it.each(["", " a", "a ", "a\nb", "a\r", "é", "\u0000", "x".repeat(2_001)])(
    "may not have %j in a header",
    async (value) => {
      const notifier = newNotifier();

      const refused = await notifier.check(
        { type: "webhook", url: "http://127.0.0.1/", headers: { "x-a": value } },
        soon(),
      );

      expect(refused).toContain('"x-a"');
    },
  );

  it("may have so many headers and not one more, and none twice", async () => {
    const notifier = newNotifier();
    const check = (headers: Record<string, string>) =>
      notifier.check({ type: "webhook", url: "http://127.0.0.1/", headers }, soon());
    const some = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, "a"]));

    expect(await check(some(SINK_HEADERS_MAX))).toBeUndefined();
    expect(await check(some(SINK_HEADERS_MAX + 1))).toContain(String(SINK_HEADERS_MAX));
    expect(await check({ "X-A": "1", "x-a": "2" })).toContain("twice");
  });

  it("is not sent without a signature: one that is sealed for another subscription waits", async () => {
    const { sink, notifier, notice } = await open();
    const moved = { ...notice.subscription, id: `sub_${"9".repeat(32)}` };
    // The seal was opened once, for its own subscription.
    await notifier.notify(notice, soon());

    for (const other of [
      { ...notice, subscription: moved },
      { ...notice, secrets: [] },
      { ...notice, secrets: [{ sealed: "s1:AAAA" }] },
    ]) {
      expect(await notifier.notify(other, soon())).toMatchObject({
        kind: "later",
        error: expect.stringContaining("secret"),
      });
    }
    expect(sink.received).toHaveLength(1);
  });

  it("keeps its connection, so that a hundred webhooks need one", async () => {
    const { sink, notifier, notice } = await open();

    for (let sent = 0; sent < 100; sent++) await notifier.notify(notice, soon());

    expect(sink.received).toHaveLength(100);
    expect(sink.connections()).toBe(1);
  });

  it("is sent over a new connection where the sink has closed the kept one, and arrives once", async () => {
    const sockets: Socket[] = [];
    const requests: string[] = [];
    // It closes each connection when the second request comes over it.
    const server = createTcpServer((socket) => {
      let answered = 0;
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        if (!data.toString().startsWith("POST")) return;
        if (answered++ > 0) return socket.resetAndDestroy();
        requests.push(data.toString());
        return socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      });
    });
    const url = await listen(server);
    const { notifier, notice } = await open();

    for (let sent = 1; sent <= 3; sent++) {
      const outcome = await notifier.notify({ ...notice, sink: { type: "webhook", url } }, soon());
      expect(outcome).toEqual({ kind: "delivered", code: 200 });
      expect(requests).toHaveLength(sent);
    }
    expect(sockets).toHaveLength(3);
  });

  it("is sent twice at most where the sink reads it and closes every connection", async () => {
    let received = 0;
    let isBroken = false;
    const waiting: Socket[] = [];
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        if (!data.toString().startsWith("POST")) return;
        received += 1;
        if (isBroken) return socket.resetAndDestroy();
        waiting.push(socket);
        // All at once, so that each has a connection of its own.
        if (waiting.length < 5) return;
        for (const each of waiting.splice(0)) each.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      });
    });
    const url = await listen(server);
    const { notifier, notice } = await open();
    const send = () => notifier.notify({ ...notice, sink: { type: "webhook", url } }, soon());
    await Promise.all(Array.from({ length: 5 }, send));
    isBroken = true;
    received = 0;

    expect(await send()).toMatchObject({ kind: "later" });
    expect(received).toBeLessThanOrEqual(2);
  });
});

/** Headers that Sluice or the connection sets. */
const OURS = [
  "webhook-id",
  "Webhook-Signature",
  "webhook-timestamp",
  "webhook-anything",
  "ce-id",
  "ce-type",
  "content-type",
  "Content-Length",
  "content-encoding",
  "transfer-encoding",
  "host",
  "connection",
  "Keep-Alive",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "user-agent",
  "proxy-authorization",
  "accept-encoding",
];

async function listen(server: ReturnType<typeof createTcpServer>): Promise<string> {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => open.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the answer to a webhook", () => {
  it("is kept up to its limit and redacted, with the values of the subscription's headers", async () => {
    const { sink, notifier, notice } = await open({ headers: { "x-token": "Own canary-token" } });
    sink.answer = (response) =>
      void response.writeHead(500).end(`bad token canary-token, Bearer abcdef ${"x".repeat(5_000)}`);

    const { response, ...outcome } = await notifier.notify(notice, soon());

    expect(outcome).toEqual({ kind: "later", code: 500, error: "The sink answered 500." });
    expect(response).toMatch(/^bad token \[redacted\], Bearer \[redacted\] x+$/);
    expect(response).toHaveLength(RESPONSE_KEPT_MAX_BYTES);
  });

  it.each([
    ["as it was written", "/a/hook?code=canary%2Bone%20two&canary-key&v=1", (url: string) => `Cannot POST ${url}`],
    ["decoded", "/a/hook?code=canary%2Bone%20two&canary-key", (url: string) => `No route: ${decodeURIComponent(url)}`],
    ["value by value", "/a/hook?code=canary%2Bone%20two", () => '{"code":"canary+one two"}'],
  ])("is kept without the query of the sink's URL, which it repeats %s", async (_how, path, write) => {
    const { sink, notifier, notice } = await open();
    sink.answer = (response, { url }) => void response.writeHead(404).end(write(url));
    const url = `${sink.url}${path}`;

    const { response } = await notifier.notify({ ...notice, sink: { type: "webhook", url } }, soon());

    expect(response).toContain("[redacted]");
    expect(response).not.toContain("canary");
    expect(response).toMatch(/^Cannot POST \/a\/hook|^No route: \/a\/hook|^\{"code"/);
  });

  it("says when to try again", async () => {
    const { sink, notifier, notice } = await open();
    sink.answer = (response) => void response.writeHead(429, { "retry-after": "7" }).end();

    expect(await notifier.notify(notice, soon())).toMatchObject({ kind: "later", code: 429, retryAfterMs: 7_000 });
  });

  it("is read to its limit and no further, and its status counts", async () => {
    const { sink, notifier, notice } = await open();
    let written = 0;
    sink.answer = (response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && written < 100_000_000) {
          written += RESPONSE_READ_MAX_BYTES;
          if (!response.write("x".repeat(RESPONSE_READ_MAX_BYTES))) return void response.once("drain", more);
        }
      };
      more();
    };

    expect(await notifier.notify(notice, soon())).toMatchObject({ kind: "delivered", code: 200 });
    expect(written).toBeLessThan(10_000_000);
  });

  it.each([
    { status: 200, kind: "delivered" },
    { status: 500, kind: "later" },
  ])("counts by its status $status where its body never ends, within the timeout", async ({ status, kind }) => {
    const { sink, notifier, notice } = await open();
    sink.answer = (response) => void response.writeHead(status).write("begin");
    const started = Date.now();

    const outcome = await notifier.notify(
      { ...notice, subscription: { ...notice.subscription, timeoutMs: 300 } },
      soon(),
    );

    expect(outcome).toMatchObject({ kind, code: status, response: "begin" });
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  it("is the one behind informational ones", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () =>
        socket.end("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"),
      );
    });
    const url = await listen(server);
    const { notifier, notice } = await open();

    const outcome = await notifier.notify({ ...notice, sink: { type: "webhook", url } }, soon());

    expect(outcome).toMatchObject({ kind: "later", code: 500, response: "no" });
  });

  it("ends its connection where the sink says so, and the next webhook goes over another one", async () => {
    const { sink, notifier, notice } = await open();
    sink.answer = (response) => void response.writeHead(200, { connection: "close" }).end();

    for (let sent = 0; sent < 3; sent++)
      expect(await notifier.notify(notice, soon())).toEqual({ kind: "delivered", code: 200 });

    expect(sink.connections()).toBe(3);
  });

  it.each([
    ["an answer 100", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["an answer 101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"],
    ["no HTTP", "220 mail.example.com ESMTP\r\n"],
    ["an informational one alone", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"],
    ["half of a head", "HTTP/1.1 200 OK\r\nContent-"],
    ["headers without end", `HTTP/1.1 200 OK\r\n${"x: ".padEnd(100_000, "y")}`],
    ["nothing", ""],
  ])("that is %s fails, and is tried again", async (_what, answer) => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(answer));
    });
    const url = await listen(server);
    const { notifier, notice } = await open();

    const outcome = await notifier.notify({ ...notice, sink: { type: "webhook", url } }, soon());

    expect(outcome).toMatchObject({ kind: "later", error: expect.stringMatching(/^The sink /) });
    expect(outcome).not.toHaveProperty("code");
    expect(outcome).not.toHaveProperty("response");
  });
});

describe("a webhook over TLS", () => {
  async function openTls(certificateName: string, isTrusted: boolean) {
    const { key, cert } = selfSigned(certificateName);
    let received = 0;
    const named: (string | false | null)[] = [];
    const server = createTlsServer({ key, cert }, (_request, response) => {
      received += 1;
      response.end();
    });
    server.on("secureConnection", ({ servername }) => named.push(servername));
    const url = (await listen(server)).replace("http://127.0.0.1", "https://localhost");
    const trusted = getCACertificates("default");
    if (isTrusted) setDefaultCACertificates([...trusted, cert]);
    onTestFinished(() => setDefaultCACertificates(trusted));
    const { notifier, notice } = await open({ url });
    const outcome = await notifier.notify(notice, soon());
    return { outcome, received, named };
  }

  it("goes to a server with a certificate of its name that somebody trusted signed", async () => {
    expect(await openTls("localhost", true)).toMatchObject({ outcome: { kind: "delivered", code: 200 } });
  });

  it("names the host in the handshake, by which a server of many hosts chooses its certificate", async () => {
    expect((await openTls("localhost", true)).named).toEqual(["localhost"]);
  });

  it("does not go to a server whose certificate nobody trusted signed", async () => {
    expect(await openTls("localhost", false)).toMatchObject({
      outcome: { kind: "later", error: "The sink could not be reached: DEPTH_ZERO_SELF_SIGNED_CERT." },
      received: 0,
    });
  });

  it("does not go to a server whose certificate is for another name", async () => {
    expect(await openTls("other.example.com", true)).toMatchObject({
      outcome: { kind: "later", error: "The sink could not be reached: ERR_TLS_CERT_ALTNAME_INVALID." },
      received: 0,
    });
  });
});

describe("a message to Slack", () => {
  it("is a short text in which nothing of the event mentions anybody, links or ends the fence", async () => {
    const sink = await startHttpSink();
    onTestFinished(sink.stop);
    const notifier = createSlackNotifier({ addresses: createSinkAddresses({ allowHttp: true }), allowHttp: true });
    const event =
      `${eventText({ type: "<!channel>", subject: "<https://evil.example|a> & b" }).slice(0, -1)}, "x": 1}`.replace(
        '"data": {',
        '"data": {"fence": "``` <@U1>", ',
      );

    await notifier.notify(noticeOf({ type: "slack", url: sink.url }, { deliveries: [deliveryOf(event)] }), soon());

    const { text } = JSON.parse(sink.received[0]?.body.toString() ?? "{}") as { text: string };
    expect(text).toContain("*&lt;!channel&gt;* (Orders)");
    expect(text).toContain("subject: &lt;https://evil.example|a&gt; &amp; b");
    expect(text).not.toMatch(/<[!@h]/);
    expect(text.split("```")).toHaveLength(3);
    expect(text).toContain(EXACT);
  });

  it("is cut where the event is large", async () => {
    const sink = await startHttpSink();
    onTestFinished(sink.stop);
    const notifier = createSlackNotifier({ addresses: createSinkAddresses({ allowHttp: true }), allowHttp: true });
    const event = `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"${"x".repeat(250_000)}"}`;

    await notifier.notify(noticeOf({ type: "slack", url: sink.url }, { deliveries: [deliveryOf(event)] }), soon());

    expect(sink.received[0]?.body.byteLength).toBeLessThan(4_000);
  });

  it("keeps an answer without the path of the sink's URL, which is its secret", async () => {
    const sink = await startHttpSink();
    onTestFinished(sink.stop);
    sink.answer = (response, { url }) =>
      void response.writeHead(404).end(`Cannot POST ${url}: no ${url.split("/").at(-1)}`);
    const notifier = createSlackNotifier({ addresses: createSinkAddresses({ allowHttp: true }), allowHttp: true });
    const url = `${sink.url}/services/T0001/B0001/canary1234567890`;

    const { response } = await notifier.notify(noticeOf({ type: "slack", url }), soon());

    expect(response).toBe("Cannot POST [redacted]: no [redacted]");
  });

  it("waits as long as Slack says", async () => {
    const sink = await startHttpSink();
    onTestFinished(sink.stop);
    sink.answer = (response) => void response.writeHead(429, { "retry-after": "30" }).end("rate_limited");
    const notifier = createSlackNotifier({ addresses: createSinkAddresses({ allowHttp: true }), allowHttp: true });

    expect(await notifier.notify(noticeOf({ type: "slack", url: sink.url }), soon())).toMatchObject({
      kind: "later",
      retryAfterMs: 30_000,
      response: "rate_limited",
    });
  });
});
