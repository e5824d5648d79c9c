import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { headLine, webhookJson, webhookLines } from "../../../scripts/listen/lines.ts";
import { readWebhook } from "../../../scripts/listen/read-webhook.ts";
import { type AnswerOptions, type ReceivedWebhook, startReceiver } from "../../../scripts/listen/receiver.ts";
import { readPublicKey, readSecret, verifyWebhook, type WebhookKeys } from "../../../scripts/listen/verify-webhook.ts";
import { newKeyPair, signWebhook, type SignedWebhook } from "../../support/sign-webhook.ts";

const newSecret = () => `whsec_${randomBytes(32).toString("base64")}`;
const secret = newSecret();
const { privateKey, publicKey } = newKeyPair();
const keys: WebhookKeys = { secrets: [readSecret(secret)], publicKeys: [readPublicKey(publicKey)] };
const event = (more: object = {}) => ({ specversion: "1.0", id: "e-1", source: "/s", type: "t", ...more });

const signed = (signers: Parameters<typeof signWebhook>[0] = [secret, privateKey], at = new Date()) =>
  signWebhook(signers, { id: `dlv_${randomUUID()}`, body: JSON.stringify(event()), at });

describe("the signatures of a webhook", () => {
  const NOW = new Date("2026-11-29T12:00:00Z");
  const verify = ({ headers, body }: SignedWebhook, by = keys) =>
    verifyWebhook(by, headers, Buffer.from(body), NOW.getTime());
  const only = { v1: { ...keys, publicKeys: [] }, v1a: { ...keys, secrets: [] } };

  it("a webhook is verified by v1, by v1a, and by both", () => {
    for (const by of [keys, only.v1, only.v1a])
      expect(verify(signed(undefined, NOW), by)).toEqual({ verdict: "verified" });
  });

  it("a webhook is verified by the new and by the old secret while both sign", () => {
    const [old, next] = [newSecret(), newSecret()];
    const webhook = signed([next, old], NOW);

    for (const each of [old, next])
      expect(verify(webhook, { secrets: [readSecret(each)], publicKeys: [] })).toEqual({ verdict: "verified" });
    expect(verify(webhook, { secrets: [readSecret(newSecret())], publicKeys: [] })).toMatchObject({
      verdict: "refused",
    });
  });

  it("a webhook without one of the signatures whose keys are known is refused", () => {
    expect(verify(signed([secret], NOW))).toEqual({ verdict: "refused", why: "no right signature v1a" });
    expect(verify(signed([privateKey], NOW))).toEqual({ verdict: "refused", why: "no right signature v1" });
    expect(verify(signed([newSecret()], NOW))).toMatchObject({ why: "no right signature v1 and none v1a" });
    expect(verify(signed([secret], NOW), only.v1)).toEqual({ verdict: "verified" });
  });

  it.each([
    [-301, "signed 301 s ago"],
    [-300, undefined],
    [300, undefined],
    [301, "signed 301 s from now; is the clock right?"],
  ])("a webhook signed %i s from now is refused where that is too far: %j", (seconds, why) => {
    const { verdict, ...rest } = verify(signed(undefined, new Date(NOW.getTime() + 1_000 * seconds)));

    expect({ verdict, why: rest.why }).toEqual({ verdict: why === undefined ? "verified" : "refused", why });
  });

  it("a webhook that was changed is refused, whatever was changed", () => {
    const good = signed(undefined, NOW);
    const changed = (headers: object, body = good.body): SignedWebhook => ({
      ...good,
      body,
      headers: { ...good.headers, ...headers },
    });
    const at = Number(good.headers["webhook-timestamp"]);

    expect(verify(changed({}, `${good.body} `))).toMatchObject({ verdict: "refused" });
    expect(verify(changed({ "webhook-id": "dlv_other" }))).toMatchObject({ verdict: "refused" });
    expect(verify(changed({ "webhook-timestamp": String(at + 1) }))).toMatchObject({ verdict: "refused" });
    expect(verify(changed({ "webhook-timestamp": "soon" }))).toMatchObject({
      why: expect.stringContaining("no number"),
    });
    expect(verify(changed({ "webhook-signature": "" }))).toMatchObject({ why: "without webhook-signature" });
    expect(verify(changed({ "webhook-signature": "v1, v1a,A v2,x" }))).toMatchObject({ verdict: "refused" });
  });

  it("a webhook is unchecked where no key is known", () => {
    expect(verify(signed([], NOW), { secrets: [], publicKeys: [] })).toEqual({ verdict: "unchecked" });
  });

  it.each([
    ["nothing", ""],
    ["a prefix", "whsec_"],
    ["a short one", "whsec_AAAA"],
    ["one with another prefix", secret.slice(1)],
    ["one with another character", `${secret}!`],
    ["a public key", publicKey],
  ])("%s is no secret", (_, text) => {
    expect(() => readSecret(text)).toThrow(/^The secret is whsec_ and the base64 of 24 to 64 bytes/);
  });

  it.each([
    ["nothing", ""],
    ["a short one", "whpk_AAAA"],
    ["a secret", secret],
  ])("%s is no public key", (_, text) => {
    expect(() => readPublicKey(text)).toThrow(/^--public-key takes whpk_ and the base64 of 32 bytes/);
  });
});

describe("the events of a webhook", () => {
  const DIGITS = '{"specversion":"1.0","id":"e-1","source":"/s","type":"t","data":{"n":12345678901234567890.50}}';
  const read = (contentType: string, body: string | Buffer, headers = {}) =>
    readWebhook({ "content-type": contentType, ...headers }, Buffer.from(body));

  it("a structured webhook has one event, with every digit of its numbers", () => {
    const { format, events } = read("application/cloudevents+json; charset=utf-8", DIGITS.replaceAll(",", ",\n"));

    expect(format).toBe("structured");
    expect(JSON.stringify(events[0])).toBe(DIGITS);
  });

  it("a batch has several events", () => {
    const { format, events } = read("application/cloudevents-batch+json", `[${DIGITS},${DIGITS}]`);

    expect({ format, count: events.length }).toEqual({ format: "batch", count: 2 });
  });

  it("a binary webhook has the attributes in its headers, and any data", () => {
    const attributes = { "ce-specversion": "1.0", "ce-id": "%E2%82%AC%20%22", "ce-source": "/s", "ce-type": "50%" };
    const plain = { specversion: "1.0", id: '€ "', source: "/s", type: "50%" };
    const data = (contentType: string, body: string | Buffer) => read(contentType, body, attributes).events[0];

    expect(data("application/json", '{"a":1}')).toEqual({
      ...plain,
      datacontenttype: "application/json",
      data: { a: expect.anything() },
    });
    expect(data("text/plain", "hello")).toEqual({ ...plain, datacontenttype: "text/plain", data: "hello" });
    expect(data("image/png", Buffer.from([0xff, 0]))).toMatchObject({ data_base64: "/wA=" });
    expect(data("", "")).toEqual(plain);
  });

  it.each([
    ["application/json", "{}", "It is no CloudEvent: its content-type is application/json"],
    ["", "", "It is no CloudEvent: its content-type is missing"],
    ["application/cloudevents+json", "[]", "The body is no event"],
    ["application/cloudevents+json", "{", "The body is not JSON"],
    ["application/cloudevents-batch+json", "[1]", "The body is no array of events"],
  ])("a webhook of %j with the body %j has no events", (contentType, body, why) => {
    expect(() => read(contentType, body)).toThrow(why);
  });
});

describe("the receiver of npm run listen", () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });

  async function start(answer: AnswerOptions = {}, of: Promise<WebhookKeys> = Promise.resolve(keys)) {
    const received: ReceivedWebhook[] = [];
    const receiver = await startReceiver({ port: 0, keys: of, answer, onWebhook: (each) => received.push(each) });
    stops.push(receiver.stop);
    const send = async ({ headers, body }: SignedWebhook) =>
      (await fetch(receiver.url, { method: "POST", headers, body })).status;
    return { ...receiver, received, send };
  }

  it("the receiver answers 204 to what is genuine and 401 to the rest, and counts the tries of an id", async () => {
    const { send, received, url } = await start();
    const [good, forged] = [signed(), signed([newSecret()])];

    expect([await send(good), await send(good), await send(forged)]).toEqual([204, 204, 401]);
    expect((await fetch(url)).status).toBe(405);
    expect(received).toMatchObject([
      { id: good.id, attempt: 1, verdict: "verified", status: 204, format: "structured", events: [event()] },
      { id: good.id, attempt: 2, verdict: "verified", status: 204 },
      { id: forged.id, attempt: 1, verdict: "refused", status: 401 },
    ]);
  });

  it("the receiver refuses a genuine body that is no CloudEvent", async () => {
    const { send, received } = await start();
    const good = signed();

    expect(await send({ ...good, headers: { ...good.headers, "content-type": "text/plain" } })).toBe(401);
    expect(received).toMatchObject([{ why: "It is no CloudEvent: its content-type is text/plain" }]);
  });

  it.each<[AnswerOptions, number[]]>([
    [{ fail: 2 }, [500, 500, 204]],
    [{ fail: 1, status: 429 }, [429, 204, 204]],
    [{ status: 410 }, [410, 410, 410]],
    [{ delayMs: 1 }, [204, 204, 204]],
  ])("the receiver with %j answers %j", async (answer, statuses) => {
    const { send } = await start(answer);

    expect([await send(signed()), await send(signed()), await send(signed())]).toEqual(statuses);
  });

  it("the receiver answers no webhook before it knows the keys of the new subscription", async () => {
    const later = Promise.withResolvers<WebhookKeys>();
    const { send, received } = await start({}, later.promise);

    const sent = send(signed());
    expect(await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, 100, "waits"))])).toBe("waits");
    later.resolve(keys);

    expect(await sent).toBe(204);
    expect(received).toMatchObject([{ verdict: "verified" }]);
  });

  it("the receiver says that its port is in use", async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);

    await expect(
      startReceiver({ port, keys: Promise.resolve(keys), answer: {}, onWebhook: () => undefined }),
    ).rejects.toThrow(`Port ${port} is in use. Name another with --port`);
  });
});

describe("a line of npm run listen", () => {
  const webhook: ReceivedWebhook = {
    at: "2026-11-29T12:00:00.000Z",
    id: "dlv_1",
    attempt: 2,
    verdict: "verified",
    status: 204,
    format: "batch",
    events: [event(), event({ id: "\u001b[2J" })],
  };

  it("a line for people has the columns of the head, without control characters; a batch has a line for each event", () => {
    const [first, second, ...others] = webhookLines(webhook, Infinity);

    expect(headLine(Infinity).split(/ +/)).toEqual(["AT", "TRY", "VERDICT", "ANSWER", "TYPE", "SOURCE", "ID"]);
    expect(first?.split(/ +/)).toEqual(["2026-11-29T12:00:00.000Z", "2", "verified", "204", "t", "/s", "e-1"]);
    expect(second).toContain("\\u{1b}[2J");
    expect(others).toEqual([]);
  });

  it("a line of a webhook without events has its id and the reason, cut at the terminal's width", () => {
    const { events: _events, ...rest } = webhook;

    expect(webhookLines({ ...rest, verdict: "refused", why: "signed 400 s ago" }, Infinity)).toEqual([
      expect.stringMatching(/refused +204 +dlv_1 +signed 400 s ago$/),
    ]);
    expect(webhookLines(rest, 20)).toEqual(["2026-11-29T12:00:00…"]);
  });

  it("a line for a pipe is one JSON object", () => {
    expect(JSON.parse(webhookJson(webhook))).toEqual(webhook);
    expect(webhookJson(webhook)).not.toContain("\n");
  });
});
