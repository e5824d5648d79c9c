import { summarizeEvent, toLine } from "../../core/event-summary.ts";
import type { Notice, Notifier, NotifyOutcome } from "../../core/notifier.ts";
import { toSdkOutcome } from "../../core/sdk-outcome.ts";
import { EMAIL_TO_MAX } from "../../core/subscription-limits.ts";
import { withinTime } from "../../core/within-time.ts";
import { createSes } from "./ses.ts";
import { createSmtp } from "./smtp.ts";

/** The carrier of e-mails: SES of AWS, or a server of SMTP, `smtp://host:port` or `smtps://…`. */
export type MailCarrier = { kind: "ses" } | { kind: "smtp"; url: string };

/** Gives an e-mail to the carrier. @throws Error where it was not taken, or not before the signal */
export type SendMail = (mail: ReturnType<typeof mailOf>, signal: AbortSignal) => Promise<void>;

const SUBJECT_MAX_CHARACTERS = 200;
const DATA_MAX_CHARACTERS = 10_000;

/**
 * Sends an e-mail about each event, in plain text alone. nodemailer is loaded with the first one.
 * @param options.from the address of the sender; undefined where this installation sends no e-mail
 */
export function createEmailNotifier(options: { from: string | undefined; carrier: MailCarrier }): Notifier<"email"> {
  const { from, carrier } = options;
  let sending: Promise<SendMail> | undefined;
  return {
    async notify(notice, deadline) {
      if (from === undefined) return { kind: "later", error: NO_SENDER };
      try {
        const send = await (sending ??= carrier.kind === "ses" ? createSes() : createSmtp(carrier.url));
        const mail = mailOf(notice, from);
        await withinTime(notice.subscription.timeoutMs, deadline, (signal) => send(mail, signal));
        return { kind: "delivered" };
      } catch (cause) {
        return carrier.kind === "ses" ? toSdkOutcome("SES", cause) : toSmtpOutcome(cause);
      }
    },
    check({ to }) {
      if (from === undefined) return Promise.resolve(NO_SENDER);
      if (to.length === 0 || to.length > EMAIL_TO_MAX)
        return Promise.resolve(`An e-mail goes to 1 to ${EMAIL_TO_MAX} addresses.`);
      const bad = to.find((address) => !ADDRESS.test(address));
      return Promise.resolve(
        bad === undefined ? undefined : `${JSON.stringify(bad)} is no e-mail address: name@example.com.`,
      );
    },
  };
}

/** An address alone, without a name, a comment or quotes, which would let one text be read as several addresses. */
const ADDRESS =
  /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?=.{1,253}$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)+$/i;

const NO_SENDER = "This installation sends no e-mail. Set emailFrom in the settings, and deploy.";

function mailOf(
  notice: Pick<Notice<"email">, "id" | "sink" | "subscription" | "deliveries" | "isBatch">,
  from: string,
) {
  const { sink, subscription, deliveries } = notice;
  const summaries = deliveries.map(({ event }) => summarizeEvent(event, DATA_MAX_CHARACTERS));
  const parts = summaries.map(({ fields, data }) => [...fields.map(([name, value]) => `${name}: ${value}`), "", data]);
  const subject = toLine(`[Sluice] ${subscription.name}: ${summaries[0]?.type ?? ""}`);
  return {
    from: { name: "", address: from },
    to: sink.to.filter((address) => ADDRESS.test(address)).map((address) => ({ name: "", address })),
    subject: subject.slice(0, SUBJECT_MAX_CHARACTERS).toWellFormed(),
    text: `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`,
    // The same at each retry, so that a mailbox can tell a copy.
    messageId: `<${notice.id}@${from.slice(from.lastIndexOf("@") + 1)}>`,
    // RFC 3834: nobody's automatic answer shall come back.
    headers: { "Auto-Submitted": "auto-generated" },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** A permanent refusal of the recipients or of the message. Others concern the server or the account: they are tried again. */
function toSmtpOutcome(cause: unknown): NotifyOutcome {
  const { code = "unknown", command = "", responseCode, name } = cause as SmtpError;
  const isRefused = OF_THE_MESSAGE.has(command) && responseCode !== undefined && responseCode >= 500;
  const reason = responseCode === undefined ? code : `${code}, ${responseCode}`;
  const error =
    name === "AbortError" ? "The mail server did not answer in time." : `The mail server did not take it: ${reason}.`;
  return { kind: isRefused ? "never" : "later", ...(responseCode !== undefined && { code: responseCode }), error };
}

type SmtpError = { code?: string; command?: string; responseCode?: number; name?: string };

/** Commands of SMTP that say who receives what. */
const OF_THE_MESSAGE: ReadonlySet<string> = new Set(["RCPT TO", "DATA"]);
