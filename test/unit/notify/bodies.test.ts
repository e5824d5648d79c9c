import { beforeEach, describe, expect, it } from "vitest";
import {
  DELIVERY_BATCH_MAX,
  DELIVERY_RATE_MAX,
  DELIVERY_TIMEOUT_MAX_MS,
  DELIVERY_TIMEOUT_MIN_MS,
  SINK_HEADER_MAX_CHARACTERS,
  SINK_HEADERS_MAX,
  SINK_URL_MAX_CHARACTERS,
  SUBSCRIPTION_BODY_MAX_BYTES,
  SUBSCRIPTION_NAME_MAX_CHARACTERS,
  SUBSCRIPTION_TEST_MAX_BYTES,
} from "../../../functions/core/subscription-limits.ts";
import { apiUnderTest, type Name, URL_OF_SINK } from "./api-under-test.ts";

const webhook = { type: "webhook", url: URL_OF_SINK };
const body = (changes: object) => ({ name: "n", sink: webhook, ...changes });
const headers = (all: Record<string, string>) => body({ sink: { ...webhook, headers: all } });
const manyHeaders = (count: number) =>
  headers(Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, "1"])));
const urlOf = (characters: number) => body({ sink: { ...webhook, url: "https://a.example/".padEnd(characters, "a") } });
const DEEP = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;

let test: ReturnType<typeof apiUnderTest>;
beforeEach(() => {
  test = apiUnderTest();
});

describe("the body of a new subscription", () => {
  it.each<[string, unknown, RegExp]>([
    ["an unknown member", body({ filters: {} }), /unknown member filters/],
    ["no name", { sink: webhook }, /name: is no text of 1 to 100 characters/],
    ["an empty name", body({ name: "" }), /name: is no text of 1 to 100/],
    ["a name that cannot be shown", body({ name: "a\u0000" }), /name: is no text of 1 to 100/],
    ["half of a surrogate pair as its name", body({ name: "\ud800" }), /name: is no text of 1 to 100/],
    ["no sink", { name: "n" }, /sink: is no object with a `type`/],
    [
      "a sink of another type",
      body({ sink: { type: "fax" } }),
      /sink\.type: is none of webhook, email, slack, sns, sqs/,
    ],
    ["a webhook without a URL", body({ sink: { type: "webhook" } }), /sink\.url: /],
    ["a URL with a space", body({ sink: { ...webhook, url: "https://a b" } }), /sink\.url: .*without spaces/],
    ["an unknown member of a sink", body({ sink: { ...webhook, secret: "s" } }), /sink: unknown member secret/],
    ["another format", body({ sink: { ...webhook, format: "xml" } }), /sink\.format: /],
    [
      "a header of Sluice",
      headers({ "Webhook-Id": "1" }),
      /sink\.headers\.Webhook-Id: is a header that Sluice itself sends/,
    ],
    ["a header of the transport", headers({ "content-length": "1" }), /is a header that Sluice itself sends/],
    ["a header with a line break", headers({ authorization: "a\r\nhost: b" }), /headers\.authorization: is no value/],
    ["a header with no name", headers({ "a b": "1" }), /is no name of a header/],
    ["a header twice", headers({ a: "1", A: "2" }), /sink\.headers: names a header twice/],
    [
      "a header that a record would leave out",
      JSON.parse(`{"sink":{"type":"webhook","url":"https://a","headers":{"__proto__":"1"}}}`),
      /sink\.headers: names a header `__proto__`/,
    ],
    ["the mask of a header", headers({ authorization: "***" }), /send the value itself/],
    ["the mask of a URL", body({ sink: { ...webhook, url: `${URL_OF_SINK}?***` } }), /send the whole text/],
    ["no address", body({ sink: { type: "email", to: [] } }), /sink\.to: /],
    ["batches in order", body({ batch: 2, order: "subject" }), /batch: order `subject` sends one event at a time/],
    ["binary batches", body({ batch: 2, sink: { ...webhook, format: "binary" } }), /batch: the format `binary`/],
    [
      "batches of a chat",
      body({ batch: 2, sink: { type: "slack", url: "https://a.example/b" } }),
      /batch: only webhooks have batches/,
    ],
    ["another order", body({ order: "time" }), /order: is none of none, subject/],
    ["another schedule", body({ schedule: "never" }), /schedule: is none of standard, doubling/],
    ["half an event a second", body({ rate: 0.5 }), /rate: /],
    ["nothing", "", /The body is no JSON/],
    [
      "a filter of ten thousand levels",
      `{"name":"n","sink":{"type":"sqs","queueUrl":"q"},"filter":${DEEP}}`,
      /too deep/,
    ],
  ])("a body with %s is refused, and the member is named", async (_name, given, expected) => {
    const refusal = await test.refusal("createSubscription", { body: given });

    expect(refusal).toMatch(/^malformed_body: /);
    expect(refusal).toMatch(expected);
    expect(test.calls).toEqual([]);
  });

  it.each<[string, (size: number) => object, number]>([
    ["characters of the name", (size) => body({ name: "n".repeat(size) }), SUBSCRIPTION_NAME_MAX_CHARACTERS],
    ["characters of the URL", urlOf, SINK_URL_MAX_CHARACTERS],
    ["headers", manyHeaders, SINK_HEADERS_MAX],
    ["characters of a header", (size) => headers({ a: "v".repeat(size) }), SINK_HEADER_MAX_CHARACTERS],
    ["events of a batch", (batch) => body({ batch }), DELIVERY_BATCH_MAX],
    ["events a second", (rate) => body({ rate }), DELIVERY_RATE_MAX],
    ["milliseconds of the timeout", (timeoutMs) => body({ timeoutMs }), DELIVERY_TIMEOUT_MAX_MS],
  ])("a body has at most so many %s", async (_name, bodyOf, most) => {
    expect(await test.refusal("createSubscription", { body: bodyOf(most) })).toBe("accepted");
    expect(await test.refusal("createSubscription", { body: bodyOf(most + 1) })).toMatch(/^malformed_body/);
  });

  it.each([
    ["batch", 1],
    ["rate", 1],
    ["timeoutMs", DELIVERY_TIMEOUT_MIN_MS],
  ])("%s is at least %i", async (name, least) => {
    expect(await test.refusal("createSubscription", { body: body({ [name]: least }) })).toBe("accepted");
    expect(await test.refusal("createSubscription", { body: body({ [name]: least - 1 }) })).toMatch(
      new RegExp(`^malformed_body: .*${name}: `),
    );
  });

  it.each<[Name, object, number]>([
    ["createSubscription", body({}), SUBSCRIPTION_BODY_MAX_BYTES],
    ["testSubscription", { filter: { exact: { type: "a" } }, event: { type: "a" } }, SUBSCRIPTION_TEST_MAX_BYTES],
  ])("the body of %s has at most so many bytes", async (name, given, most) => {
    const ofSize = (bytes: number) => JSON.stringify(given).padEnd(bytes);

    expect(await test.refusal(name, { body: ofSize(most) })).toBe("accepted");
    expect(await test.refusal(name, { body: ofSize(most + 1) })).toMatch(/^body_too_large/);
  });

  it("a bad filter is refused at its pointer", async () => {
    const refusal = await test.refusal("createSubscription", { body: body({ filter: { exact: {} } }) });

    expect(refusal).toMatch(/^bad_filter: \/exact /);
  });

  it.each([
    { type: "email", to: ["ops@example.com"] },
    { type: "slack", url: "https://hooks.example.com/T0/B0/x" },
    { type: "sns", topicArn: "arn:aws:sns:eu-west-1:111122223333:topic" },
    { type: "sqs", queueUrl: "https://sqs.eu-west-1.amazonaws.com/111122223333/queue" },
    { ...webhook, format: "binary", headers: { Authorization: "Bearer t" } },
  ])("the sink $type is checked as it was sent", async (sink) => {
    await test.create({ sink });

    expect(test.checked).toEqual([sink]);
  });
});
