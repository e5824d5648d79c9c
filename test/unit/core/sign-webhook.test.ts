import { createPublicKey, randomBytes, verify } from "node:crypto";
import * as fc from "fast-check";
import { Webhook as StandardWebhook, WebhookVerificationError } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeWebhookSecret, publicKeyOf, readWebhookKeys, signWebhook } from "../../../functions/core/sign-webhook.ts";

const NOW = 1_790_000_000;

beforeEach(() => void vi.useFakeTimers({ now: NOW * 1_000, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const LIBRARIES = [
  ["standardwebhooks", StandardWebhook],
  ["svix", SvixWebhook],
] as const;

const content = (changes: Partial<{ id: string; timestamp: number; body: string }> = {}) => ({
  id: `dlv_${"a".repeat(32)}`,
  timestamp: NOW,
  body: '{"total": 12345678901234567890.10}',
  ...changes,
});

type Content = ReturnType<typeof content>;

const headersOf = ({ id, timestamp }: Content, signature: string) => ({
  "webhook-id": id,
  "webhook-timestamp": String(timestamp),
  "webhook-signature": signature,
});

const sign = (content: Content, ...texts: string[]) => signWebhook(texts.map(readWebhookKeys), content);

describe.each(LIBRARIES)("the signature of webhooks, as %s reads it,", (_name, Webhook) => {
  it("is verified", () => {
    const { secret, text } = makeWebhookSecret(randomBytes);

    const headers = headersOf(content(), sign(content(), text));

    expect(() => new Webhook(secret).verify(content().body, headers)).not.toThrow();
  });

  it("is the one that the library writes itself, for any id, time and text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(".", "")),
        fc.integer({ min: 1, max: 4_000_000_000 }),
        fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
        (id, timestamp, body) => {
          const { secret, text } = makeWebhookSecret(randomBytes);
          const theirs = new Webhook(secret).sign(id, new Date(timestamp * 1_000), body);

          expect(sign({ id, timestamp, body }, text).split(" ")[0]).toBe(theirs);
        },
      ),
    );
  });

  it("is verified before, during and after a rotation, by receivers with either secret", () => {
    const [old, current] = [makeWebhookSecret(randomBytes), makeWebhookSecret(randomBytes)];
    const isVerified = (secret: string, ...texts: string[]) => {
      const headers = headersOf(content(), sign(content(), ...texts));
      return () => new Webhook(secret).verify(content().body, headers);
    };

    expect(isVerified(old.secret, old.text)).not.toThrow();
    expect(isVerified(old.secret, current.text, old.text)).not.toThrow();
    expect(isVerified(current.secret, current.text, old.text)).not.toThrow();
    expect(isVerified(current.secret, current.text)).not.toThrow();
    expect(isVerified(old.secret, current.text)).toThrow(WebhookVerificationError);
  });

  it.each([
    { change: "a digit of the body", to: content({ body: '{"total": 12345678901234567890.11}' }) },
    { change: "the id", to: content({ id: `dlv_${"b".repeat(32)}` }) },
    { change: "the timestamp", to: content({ timestamp: NOW + 1 }) },
    { change: "a space of the body", to: content({ body: '{"total":12345678901234567890.10}' }) },
  ])("is refused where somebody changed $change", ({ to }) => {
    const { secret, text } = makeWebhookSecret(randomBytes);
    const headers = headersOf(to, sign(content(), text));

    expect(() => new Webhook(secret).verify(to.body, headers)).toThrow(WebhookVerificationError);
  });

  it("is refused wherever one of its characters is another one", () => {
    const { secret, text } = makeWebhookSecret(randomBytes);
    const signature = sign(content(), text).split(" ")[0] ?? "";
    for (let at = "v1,".length; at < signature.length - 2; at++) {
      const other = signature[at] === "A" ? "B" : "A";
      const changed = signature.slice(0, at) + other + signature.slice(at + 1);

      expect(() => new Webhook(secret).verify(content().body, headersOf(content(), changed))).toThrow(
        WebhookVerificationError,
      );
    }
  });

  it.each([
    { age: "old, which a replay is", seconds: -301, isVerified: false },
    { age: "just young enough", seconds: -300, isVerified: true },
    { age: "of the future", seconds: 301, isVerified: false },
  ])("that is $age is verified: $isVerified", ({ seconds, isVerified }) => {
    const { secret, text } = makeWebhookSecret(randomBytes);
    const sent = content({ timestamp: NOW + seconds });
    const headers = headersOf(sent, sign(sent, text));

    const verifying = () => new Webhook(secret).verify(sent.body, headers);

    if (isVerified) expect(verifying).not.toThrow();
    else expect(verifying).toThrow(WebhookVerificationError);
  });

  it("is refused under the name of the other scheme", () => {
    const { secret, text } = makeWebhookSecret(randomBytes);
    const [v1 = "", v1a = ""] = sign(content(), text).split(" ");
    const swapped = `${v1.replace("v1,", "v1a,")} ${v1a.replace("v1a,", "v1,")}`;

    expect(() => new Webhook(secret).verify(content().body, headersOf(content(), swapped))).toThrow(
      WebhookVerificationError,
    );
  });
});

describe("the signatures of webhooks", () => {
  it("are those of the vector that the libraries share", () => {
    const text = `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsk_${Buffer.alloc(32).toString("base64")}`;
    const vector = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: '{"test": 2432232314}' };

    expect(sign(vector, text).split(" ")[0]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("are those of the first vector of RFC 8032 in v1a, whose key has that public key", () => {
    const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
    const text = `whsec_${Buffer.alloc(32).toString("base64")} whsk_${seed.toString("base64")}`;

    const publicKey = Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex");
    expect(publicKeyOf(text)).toBe(`whpk_${publicKey.toString("base64")}`);
  });

  it("have a v1a that the public key verifies, and that refuses any other content", () => {
    const { publicKey, text } = makeWebhookSecret(randomBytes);
    const raw = Buffer.from(publicKey.slice("whpk_".length), "base64");
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
      format: "jwk",
    });
    const { id, timestamp, body } = content();
    const [, v1a = ""] = sign(content(), text).split(" ");
    const signature = Buffer.from(v1a.slice("v1a,".length), "base64");

    expect(v1a).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
    expect(verify(null, Buffer.from(`${id}.${timestamp}.${body}`), key, signature)).toBe(true);
    expect(verify(null, Buffer.from(`${id}.${timestamp}.${body} `), key, signature)).toBe(false);
  });

  it("are over the bytes of a body that is no text", () => {
    const { text } = makeWebhookSecret(randomBytes);
    const bytes = { ...content(), body: Buffer.from([0xff, 0xfe, 0x00]) };

    expect(signWebhook([readWebhookKeys(text)], bytes)).not.toBe(
      signWebhook([readWebhookKeys(text)], { ...bytes, body: bytes.body.toString("utf8") }),
    );
  });

  it("are not made for an id with a point, which would let two contents have one signature", () => {
    const { text } = makeWebhookSecret(randomBytes);

    expect(() => sign(content({ id: "a.1" }), text)).toThrow(RangeError);
  });
});

describe("the secret of webhooks", () => {
  it("is 32 unpredictable bytes as text, with the public half of another 32", () => {
    const made = Array.from({ length: 100 }, () => makeWebhookSecret(randomBytes));

    expect(new Set(made.map(({ secret }) => secret)).size).toBe(100);
    expect(new Set(made.map(({ publicKey }) => publicKey)).size).toBe(100);
    for (const { secret, publicKey, text } of made) {
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
      expect(publicKeyOf(text)).toBe(publicKey);
    }
  });

  it.each(["", "whsec_", "whsec_AAAA whsk_AAAA", `whsec_${"A".repeat(44)}`, "whsk_AAAA whsec_AAAA"])(
    "is not read from %j",
    (text) => {
      expect(() => readWebhookKeys(text)).toThrow(RangeError);
    },
  );
});
