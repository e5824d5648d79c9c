import { createHash, randomBytes } from "node:crypto";
import type { Notice } from "../../functions/core/notifier.ts";
import { createSeals } from "../../functions/core/seal-secret.ts";
import { makeWebhookSecret } from "../../functions/core/sign-webhook.ts";
import type { SinkType } from "../../functions/core/subscription.ts";

const INSTALLATION_SECRET = Buffer.from("a secret of this installation");

const SUBSCRIPTION_ID = `sub_${"5".repeat(32)}`;

/** Seals as the installation of a test has them. */
export const seals = createSeals(() => Promise.resolve(INSTALLATION_SECRET), randomBytes);

/** A secret of the subscription, as it was shown and as it is kept. */
export async function newSecret(): Promise<{ secret: string; publicKey: string; sealed: string }> {
  const { secret, publicKey, text } = makeWebhookSecret(randomBytes);
  return { secret, publicKey, sealed: await seals.seal(SUBSCRIPTION_ID, text) };
}

/** The text of an event with numbers that no double keeps. */
export function eventText(changes: Record<string, unknown> = {}): string {
  const attributes = {
    id: "order-1",
    source: "/shop",
    type: "com.example.order",
    specversion: "1.0",
    subject: "a/b",
    time: "2026-11-21T09:30:00Z",
    datacontenttype: "application/json",
    tenant: "acme",
    ...changes,
  };
  return `${JSON.stringify(attributes).slice(0, -1)}, "data": {"total": ${EXACT}, "text": "Grüße \\u0000 <b>&"}}`;
}

/** The id of a notice, by which each sink tells a copy. */
const NOTICE_ID = `dlv_${"7".repeat(32)}`;

export const EXACT = "12345678901234567890.10";

export function deliveryOf(event: string, attempt = 1): Notice["deliveries"][number] {
  return { id: `dlv_${createHash("md5").update(event).digest("hex")}`, event, attempt };
}

export function noticeOf<Of extends SinkType>(
  sink: Notice<Of>["sink"],
  changes: Partial<Notice<Of>> & { timeoutMs?: number } = {},
): Notice<Of> {
  const { timeoutMs = 2_000, ...rest } = changes;
  return {
    id: NOTICE_ID,
    sink,
    subscription: { id: SUBSCRIPTION_ID, tenant: "acme", name: "Orders", timeoutMs },
    deliveries: [deliveryOf(eventText())],
    secrets: [],
    isBatch: false,
    traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    ...rest,
  };
}
