import { summarizeEvent, toLine } from "../../core/event-summary.ts";
import { toHttpOutcome } from "../../core/http-outcome.ts";
import type { Notice, Notifier } from "../../core/notifier.ts";
import { redact } from "../../core/redact.ts";
import { createPost } from "./post.ts";
import type { SinkAddresses } from "./sink-address.ts";
import { urlSecrets } from "./url-secrets.ts";

/** Slack cuts a text of more than 4,000 characters, in which the data is one part. */
const DATA_MAX_CHARACTERS = 1_500;

/**
 * Sends a short text about an event to an incoming webhook of Slack, or of a chat that takes the same.
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function createSlackNotifier(options: { addresses: SinkAddresses; allowHttp: boolean }): Notifier<"slack"> {
  const { addresses } = options;
  const post = createPost(addresses, options);
  return {
    async notify({ sink, subscription, deliveries }, deadline) {
      const endsAt = Math.min(deadline, Date.now() + subscription.timeoutMs);
      const text = deliveries.map(({ event }) => textOf(subscription.name, event)).join("\n\n");
      const headers = { "content-type": "application/json; charset=utf-8", "user-agent": "Sluice" };
      const posted = await post(sink.url, { headers, body: JSON.stringify({ text }) }, endsAt);
      if ("error" in posted) return { kind: "later", error: posted.error };
      return toHttpOutcome(
        { ...posted, response: redact(posted.text, urlSecrets(sink.url, { path: true })) },
        Date.now(),
      );
    },
    async check({ url }, deadline) {
      const refused = await addresses.check(url, deadline);
      return refused === undefined ? undefined : `The URL ${refused}.`;
    },
  };
}

function textOf(name: Notice["subscription"]["name"], event: string): string {
  const { type, fields, data } = summarizeEvent(event, DATA_MAX_CHARACTERS);
  const lines = fields.map(([name, value]) => `${name}: ${escape(value)}`);
  // A fence in the data would end ours.
  const fenced = escape(data).replaceAll("```", "'''");
  return [`*${escape(type)}* (${escape(toLine(name))})`, ...lines, `\`\`\`${fenced}\`\`\``].join("\n");
}

/**
 * Slack reads `<!channel>` and `<https://…|text>` as mentions and links; escaped they are text.
 * @see https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
