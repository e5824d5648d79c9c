import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { RequestFilteringHttpsAgent } from "request-filtering-agent";
import { beforeAll, afterAll, describe, expect, it, onTestFinished } from "vitest";
import { createPost } from "../../functions/adapters/http/post.ts";
import { createSinkAddresses } from "../../functions/adapters/http/sink-address.ts";
import { createWebhookNotifier } from "../../functions/adapters/http/webhook.ts";
import { type HttpSink, startHttpSink } from "../support/http-sink.ts";
import { newSecret, noticeOf, seals } from "../support/notices.ts";

/**
 * Ways past the rule that a sink has a public address. `PORT` is that of a server on the loopback interface, which no sink may
 * reach: for each, the check and the delivery are refused, and the server counts no connection.
 */
const LITERALS: readonly string[] = [
  // Loopback, in every spelling that a URL may have.
  "https://127.0.0.1:PORT/",
  "https://127.0.0.1.:PORT/",
  "https://127.1:PORT/",
  "https://127.0.1:PORT/",
  "https://127.255.255.254:PORT/",
  "https://2130706433:PORT/",
  "https://0x7f000001:PORT/",
  "https://0x7f.0x0.0x0.0x1:PORT/",
  "https://0x7F.1:PORT/",
  "https://017700000001:PORT/",
  "https://0177.0.0.1:PORT/",
  "https://0177.0x0.0.1:PORT/",
  "https://00000000177.0.0.1:PORT/",
  "https://①②⑦.⓪.⓪.①:PORT/",
  "https://１２７.0.0.1:PORT/",
  "https://127。0。0。1:PORT/",
  "https://127｡0｡0｡1:PORT/",
  "https://%31%32%37.0.0.1:PORT/",
  "https://127.0.0.1%2e:PORT/",
  "https://\t127.0.0.1:PORT/",
  "https:127.0.0.1:PORT/",
  "HTTPS://127.0.0.1:PORT/",
  " hTTps://127.0.0.1:PORT/",
  "https:\\\\127.0.0.1:PORT\\",
  "https:////127.0.0.1:PORT/",
  "https://0:PORT/",
  "https://0.0.0.0:PORT/",
  "https://0.1.2.3:PORT/",
  // IPv6, and IPv4 in it.
  "https://[::1]:PORT/",
  "https://[0:0:0:0:0:0:0:1]:PORT/",
  "https://[0000::0001]:PORT/",
  "https://[::]:PORT/",
  "https://[::127.0.0.1]:PORT/",
  "https://[::7f00:1]:PORT/",
  "https://[::ffff:127.0.0.1]:PORT/",
  "https://[::ffff:7f00:1]:PORT/",
  "https://[::ffff:0:127.0.0.1]:PORT/",
  "https://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
  "https://[64:ff9b::127.0.0.1]:PORT/",
  "https://[64:ff9b::7f00:1]:PORT/",
  "https://[64:ff9b:1::7f00:1]:PORT/",
  "https://[2002:7f00:1::]:PORT/",
  "https://[2002:7f00:0001::1]:PORT/",
  "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]:PORT/",
  "https://[2001:0::1]:PORT/",
  "https://[::1%25lo]:PORT/",
  "https://[::1%lo]:PORT/",
  "https://[fe80::1%25eth0]:PORT/",
  "https://[fe80::1]:PORT/",
  "https://[fec0::1]:PORT/",
  "https://[fc00::1]:PORT/",
  "https://[fd12:3456:789a::1]:PORT/",
  "https://[ff02::1]:PORT/",
  "https://[100::1]:PORT/",
  "https://[2001:db8::1]:PORT/",
  "https://[3fff::1]:PORT/",
  "https://[5f00::1]:PORT/",
  "https://[::2]:PORT/",
  "https://[1::1]:PORT/",
  "https://[4000::1]:PORT/",
  // Private, shared, reserved and multicast.
  "https://10.0.0.1:PORT/",
  "https://10.255.255.255:PORT/",
  "https://172.16.0.1:PORT/",
  "https://172.31.255.255:PORT/",
  "https://192.168.0.1:PORT/",
  "https://100.64.0.1:PORT/",
  "https://100.127.255.255:PORT/",
  "https://192.0.0.1:PORT/",
  "https://192.0.2.1:PORT/",
  "https://192.88.99.1:PORT/",
  "https://198.18.0.1:PORT/",
  "https://198.51.100.1:PORT/",
  "https://203.0.113.1:PORT/",
  "https://224.0.0.1:PORT/",
  "https://240.0.0.1:PORT/",
  "https://255.255.255.255:PORT/",
  // Metadata of machines: AWS (also its tasks, its time and its DNS), Azure, Oracle, Alibaba.
  "https://169.254.169.254:PORT/latest/meta-data/",
  "https://2852039166:PORT/",
  "https://0xa9fea9fe:PORT/",
  "https://[::ffff:169.254.169.254]:PORT/",
  "https://[::a9fe:a9fe]:PORT/",
  "https://[64:ff9b::a9fe:a9fe]:PORT/",
  "https://[fd00:ec2::254]:PORT/",
  "https://[fd00:ec2::23]:PORT/",
  "https://169.254.170.2:PORT/v2/credentials",
  "https://169.254.170.23:PORT/",
  "https://169.254.169.123:PORT/",
  "https://169.254.169.253:PORT/",
  "https://168.63.129.16:PORT/",
  "https://192.0.0.192:PORT/",
  "https://100.100.100.200:PORT/",
  // Lambda's own runtime and extensions (AWS_LAMBDA_RUNTIME_API is 127.0.0.1:9001).
  "https://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
  "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
  "http://sandbox.localdomain:9001/2018-06-01/runtime/invocation/next",
  // Names of this machine.
  "https://localhost:PORT/",
  "https://LOCALHOST:PORT/",
  "https://localhost.:PORT/",
  "https://a.localhost:PORT/",
  "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/",
  // Other schemes, and parts of a URL that hide its host.
  "http://example.com/",
  "http://127.0.0.1:PORT/",
  "http://localhost:PORT/",
  "ftp://127.0.0.1:PORT/",
  "file:///etc/passwd",
  "gopher://127.0.0.1:PORT/_",
  "data:text/plain,a",
  "unix:/var/run/docker.sock",
  "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
  "//127.0.0.1:PORT/",
  "https://example.com@127.0.0.1:PORT/",
  "https://example.com:443@127.0.0.1:PORT/",
  "https://127.0.0.1:PORT#@example.com/",
  "https://127.0.0.1:PORT\\@example.com/",
  "https://user:password@example.com/",
  "https://example.com:22/",
  "https://example.com:6379/",
  "https://example.com:80/",
  "https:///",
  "https://",
  "",
];

/** Addresses that a name of somebody else's resolves to. */
const RESOLVED: readonly (readonly string[])[] = [
  ["127.0.0.1"],
  ["::1"],
  ["::1%lo"],
  ["0.0.0.0"],
  ["::"],
  ["::ffff:127.0.0.1"],
  ["::ffff:7f00:1"],
  ["::7f00:1"],
  ["64:ff9b::7f00:1"],
  ["2002:7f00:1::"],
  ["10.0.0.1"],
  ["100.64.0.1"],
  ["169.254.169.254"],
  ["fd00:ec2::254"],
  ["fe80::1%eth0"],
  ["168.63.129.16"],
  // One of several is enough: a connection may take any of them.
  ["93.184.215.14", "127.0.0.1"],
  ["127.0.0.1", "93.184.215.14"],
  ["2606:4700::1111", "::1"],
  ["no-address"],
];

const familyOf = (address: string) => (address.includes(":") ? 6 : 4);

/** A look-up that gives the answers one after the other, and the last one from then on. */
function resolving(...answers: readonly (readonly string[])[]): LookupFunction {
  let asked = 0;
  return (_host, options, callback) => {
    const addresses = answers[Math.min(asked++, answers.length - 1)] ?? [];
    const found: LookupAddress[] = addresses.map((address) => ({ address, family: familyOf(address) }));
    if (options.all === true) callback(null, found);
    else callback(null, found[0]?.address ?? "", found[0]?.family);
  };
}

let inside: HttpSink;
beforeAll(async () => void (inside = await startHttpSink()));
afterAll(() => inside.stop());

const soon = () => Date.now() + 5_000;
const NEVER_PUBLIC: LookupFunction = resolving(["127.0.0.1"]);

/** Checks a URL, and posts to it though the check refused it. */
async function attempt(url: string, lookup?: LookupFunction) {
  const before = inside.connections();
  // The port of the server inside is as good as 443 here: no refusal may be about the port alone.
  const ports = new Set(["443", "8443", "9001", String(inside.port)]);
  const addresses = createSinkAddresses({ allowHttp: false, ports, ...(lookup !== undefined && { lookup }) });
  const refused = await addresses.check(url, soon());
  const post = createPost(addresses, { allowHttp: false });
  const posted = await post(url, { headers: {}, body: "{}" }, soon());
  return { refused, posted, connections: inside.connections() - before };
}

describe("a sink of the internet", () => {
  it("is refused in every way past the rule that is on a list of more than sixty", () => {
    expect(LITERALS.length + RESOLVED.length).toBeGreaterThan(60);
  });

  it.each(LITERALS)("is not %j: no connection is made", async (text) => {
    const url = text.replaceAll("PORT", String(inside.port));

    // Names resolve to the server inside, as the system's own names do.
    const { refused, posted, connections } = await attempt(url, NEVER_PUBLIC);

    expect(connections).toBe(0);
    expect(refused).toMatch(/\w/);
    expect(posted).toEqual({ error: expect.stringMatching(/^The sink's (?:URL|host) /) });
  });

  it("is not this machine by the names that the system resolves: no connection is made", async () => {
    for (const host of ["localhost", "localhost.", "LOCALHOST"]) {
      const { refused, connections } = await attempt(`https://${host}:${inside.port}/`);

      expect(connections).toBe(0);
      expect(refused).toMatch(/not public|does not resolve/);
    }
  });

  it.each(RESOLVED.map((addresses) => ({ addresses })))(
    "is not a name that resolves to $addresses: no connection is made",
    async ({ addresses }) => {
      const lookup = resolving(addresses);

      const { refused, posted, connections } = await attempt(`https://sink.example.com:${inside.port}/`, lookup);

      expect(connections).toBe(0);
      expect(refused).toContain("not public");
      expect(posted).toEqual({ error: "The sink's host has an address that is not public: no connection was made." });
    },
  );

  it.each([["127.0.0.1"], ["::ffff:127.0.0.1"], ["::7f00:1"], ["::1"]])(
    "is not a name that was public at the check, and is %s at the connection (DNS rebinding)",
    async (address) => {
      const lookup = resolving(["93.184.215.14"], [address]);

      const { refused, posted, connections } = await attempt(`https://rebind.example.com:${inside.port}/`, lookup);

      expect(connections).toBe(0);
      expect(refused).toBeUndefined();
      expect(posted).toEqual({ error: "The sink's host has an address that is not public: no connection was made." });
    },
  );

  it("is not a name that does not resolve, or not in time", async () => {
    const failing: LookupFunction = (_host, _options, callback) =>
      callback(Object.assign(new Error("none"), { code: "ENOTFOUND" }), "");
    const silent: LookupFunction = () => undefined;
    const check = (lookup: LookupFunction) =>
      createSinkAddresses({ allowHttp: false, lookup }).check("https://sink.example.com/", Date.now() + 100);

    expect(await check(failing)).toContain("does not resolve");
    expect(await check(silent)).toContain("does not resolve");
  });

  it.each([
    "https://example.com/",
    "https://example.com:8443/a?b=c",
    "https://xn--mnchen-3ya.example/",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
  ])("may be %s", async (url) => {
    const addresses = createSinkAddresses({
      allowHttp: false,
      lookup: resolving(["93.184.215.14", "2606:4700::1111"]),
    });

    expect(await addresses.check(url, soon())).toBeUndefined();
  });

  it("is not shown the addresses that this installation sees", async () => {
    const addresses = createSinkAddresses({ allowHttp: false, lookup: resolving(["10.1.2.3"]) });

    expect(await addresses.check("https://internal.example.com/", soon())).not.toContain("10.1.2.3");
  });
});

describe("the library behind the rule", () => {
  it.each([["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["fd00:ec2::254"], ["64:ff9b::7f00:1"]])(
    "refuses %s by itself, at a connection whose look-up nobody checked",
    async (address) => {
      const agent = new RequestFilteringHttpsAgent({ lookup: resolving([address]) });
      onTestFinished(() => agent.destroy());
      const { request } = await import("node:https");

      const failed = new Promise<Error>((resolve) => {
        request({ host: "sink.example.com", port: inside.port, agent }).on("error", resolve).end();
      });

      expect((await failed).message).toContain("is not allowed");
    },
  );
});

describe("a sink on a laptop (allowHttp)", () => {
  const ports = () => new Set(["443", String(inside.port)]);
  const open = (lookup?: LookupFunction) => {
    const addresses = createSinkAddresses({ allowHttp: true, ports: ports(), ...(lookup !== undefined && { lookup }) });
    return { addresses, post: createPost(addresses, { allowHttp: true }) };
  };

  it.each(["http://127.0.0.1:PORT/", "http://localhost:PORT/", "HTTP://LOCALHOST:PORT/", "http://0x7f.1:PORT/"])(
    "may be %s",
    async (text) => {
      const url = text.replace("PORT", String(inside.port));
      const { addresses, post } = open();

      expect(await addresses.check(url, soon())).toBeUndefined();
      expect(await post(url, { headers: {}, body: "{}" }, soon())).toMatchObject({ code: 204 });
    },
  );

  it.each([
    "http://10.0.0.1:PORT/",
    "http://169.254.169.254:PORT/",
    "http://example.com:PORT/",
    "http://8.8.8.8:PORT/",
    "http://a.localhost:PORT/",
    "http://localhost.:PORT/",
    "https://10.0.0.1:PORT/",
    "https://[::ffff:127.0.0.1]:PORT/",
    "https://0.0.0.0:PORT/",
    "https://sink.example.com:PORT/",
  ])("is still not %s, though its names lead here", async (text) => {
    const url = text.replace("PORT", String(inside.port));
    const { addresses, post } = open(resolving(["127.0.0.1"]));
    const before = inside.connections();

    expect(await addresses.check(url, soon())).toMatch(/\w/);
    expect(await post(url, { headers: {}, body: "{}" }, soon())).toHaveProperty("error");
    expect(inside.connections()).toBe(before);
  });
});

describe("a request that HTTP cannot carry", () => {
  it("is not sent, and does not throw", async () => {
    const post = createPost(createSinkAddresses({ allowHttp: true }), { allowHttp: true });
    const before = inside.received.length;

    const posted = await post(inside.url, { headers: { "x-a": "a\r\nb" }, body: "" }, soon());

    expect(posted).toEqual({ error: "The sink could not be reached: UND_ERR_INVALID_ARG." });
    expect(inside.received).toHaveLength(before);
  });
});

describe("a host whose look-up never ends", () => {
  it("is given up in time", async () => {
    const addresses = createSinkAddresses({ allowHttp: false, lookup: () => undefined });
    const post = createPost(addresses, { allowHttp: false });

    const posted = await post("https://sink.example.com/", { headers: {}, body: "" }, Date.now() + 100);

    expect(posted).toEqual({ error: "The sink did not answer in time." });
  });
});

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308])("of status %i is not followed, wherever it leads", async (status) => {
    const outside = await startHttpSink();
    onTestFinished(outside.stop);
    outside.answer = (response) => void response.writeHead(status, { location: `${inside.url}/inside` }).end();
    const before = inside.connections();
    const addresses = createSinkAddresses({ allowHttp: true });
    const notifier = createWebhookNotifier({ addresses, allowHttp: true, seals });
    const { sealed } = await newSecret();

    const outcome = await notifier.notify(
      noticeOf({ type: "webhook", url: outside.url }, { secrets: [{ sealed }] }),
      soon(),
    );

    expect(outcome).toMatchObject({ kind: "later", code: status, error: expect.stringContaining("redirect") });
    expect(inside.connections()).toBe(before);
  });
});
