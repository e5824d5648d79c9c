import { toHttpOutcome } from "../../core/http-outcome.ts";
import { binaryContent, structuredContent } from "../../core/notice-content.ts";
import type { Notice, Notifier } from "../../core/notifier.ts";
import { redact } from "../../core/redact.ts";
import type { Seals } from "../../core/seal-secret.ts";
import { readWebhookKeys, signWebhook, type WebhookKeys } from "../../core/sign-webhook.ts";
import { SINK_HEADER_MAX_CHARACTERS, SINK_HEADERS_MAX } from "../../core/subscription-limits.ts";
import { createPost } from "./post.ts";
import type { SinkAddresses } from "./sink-address.ts";
import { urlSecrets } from "./url-secrets.ts";

/** Opened secrets that are kept, so that a delivery costs a signature and no more. */
const KEYS_KEPT = 1_000;

/**
 * Sends webhooks as Standard Webhooks has them: a CloudEvent, signed under every secret of the subscription.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function createWebhookNotifier(options: {
  addresses: SinkAddresses;
  allowHttp: boolean;
  seals: Pick<Seals, "open">;
}): Notifier<"webhook"> {
  const { addresses, seals } = options;
  const post = createPost(addresses, options);
  const opened = new Map<string, WebhookKeys>();

  async function keysOf({ subscription, secrets }: Pick<Notice, "subscription" | "secrets">): Promise<WebhookKeys[]> {
    return Promise.all(
      secrets.map(async ({ sealed }) => {
        // A seal that was moved to another subscription must not open from memory.
        const place = `${subscription.id} ${sealed}`;
        const keys = opened.get(place) ?? readWebhookKeys(await seals.open(subscription.id, sealed));
        if (opened.size >= KEYS_KEPT) opened.clear();
        opened.set(place, keys);
        return keys;
      }),
    );
  }

  return {
    async notify(notice, deadline) {
      const { sink, subscription, deliveries } = notice;
      const endsAt = Math.min(deadline, Date.now() + subscription.timeoutMs);
      const keys = await keysOf(notice).catch(() => []);
      if (keys.length === 0) {
        return {
          kind: "later",
          error: "The secret of the subscription could not be opened. Rotate it if that stays so.",
        };
      }
      const [first] = deliveries;
      const isBinary = sink.format === "binary" && !notice.isBatch && first !== undefined;
      const content = isBinary ? binaryContent(first.event) : structuredContent(notice);
      const signed = { id: notice.id, timestamp: Math.floor(Date.now() / 1_000), body: content.body };
      const headers = {
        ...ownHeaders(sink.headers),
        ...content.headers,
        "user-agent": "Sluice",
        traceparent: notice.traceparent,
        "webhook-id": signed.id,
        "webhook-timestamp": String(signed.timestamp),
        "webhook-signature": signWebhook(keys, signed),
      };
      const posted = await post(sink.url, { headers, body: content.body }, endsAt);
      if ("error" in posted) return { kind: "later", error: posted.error };
      const response = posted.text === "" ? "" : redact(posted.text, secretsOf(sink));
      return toHttpOutcome({ ...posted, response }, Date.now());
    },
    async check({ url, headers = {} }, deadline) {
      const refused = await addresses.check(url, deadline);
      return refused === undefined ? checkHeaders(headers) : `The URL ${refused}.`;
    },
  };
}

/** Headers of the subscription by their names in lower case, without those that are ours. */
function ownHeaders(headers: Record<string, string> = {}): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(named.filter(([name, value]) => refuseHeader(name, value) === undefined));
}

/**
 * The values of headers, and their long parts, because a receiver may repeat a token without the scheme before it; and the query of
 * the URL.
 */
function secretsOf({ url, headers = {} }: Pick<Notice<"webhook">["sink"], "url" | "headers">): string[] {
  const values = Object.values(headers);
  const parts = values.flatMap((value) => value.split(/\s+/).filter(({ length }) => length >= 8));
  return [...values, ...parts, ...urlSecrets(url, { path: false })];
}

function checkHeaders(headers: Record<string, string>): string | undefined {
  const entries = Object.entries(headers);
  if (entries.length > SINK_HEADERS_MAX) return `A sink has at most ${SINK_HEADERS_MAX} headers.`;
  const names = new Set(entries.map(([name]) => name.toLowerCase()));
  if (names.size < entries.length) return "A header is there twice; names are compared without case.";
  const refused = entries.map(([name, value]) => [name, refuseHeader(name.toLowerCase(), value)] as const);
  const [name, reason] = refused.find(([, reason]) => reason !== undefined) ?? [];
  return reason === undefined ? undefined : `The header ${JSON.stringify(name)} ${reason}.`;
}

function refuseHeader(name: string, value: string): string | undefined {
  if (!TOKEN.test(name)) return "has a name that is no token of HTTP, or has more than 100 characters";
  if (OURS.test(name)) return "is set by Sluice or by the connection; choose another name";
  if (value.length > SINK_HEADER_MAX_CHARACTERS) return `has more than ${SINK_HEADER_MAX_CHARACTERS} characters`;
  return /^[!-~](?:[ -~\t]*[!-~])?$/.test(value) ? undefined : "has a value that is not printable ASCII";
}

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]{1,100}$/;

/** Headers that a subscription may not set: those of the webhook and the event, and those that frame a message or steer its way. */
const OURS =
  /^(?:webhook-.*|ce-.*|content-.*|proxy-.*|host|user-agent|traceparent|tracestate|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|accept-encoding)$/;
