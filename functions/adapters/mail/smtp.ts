import type { SendMail } from "./email.ts";

/** A server greets and answers within seconds; the timeout of the subscription is the bound of all. */
const STEP_MS = 10_000;

/** Sends e-mails through a server of SMTP, each over a connection of its own. nodemailer is loaded by the call. */
export async function createSmtp(url: string): Promise<SendMail> {
  const { createTransport } = await import("nodemailer");
  const timeouts = { connectionTimeout: STEP_MS, greetingTimeout: STEP_MS, socketTimeout: STEP_MS };
  const transport = createTransport({ url, ...timeouts });
  return async (mail, signal) => {
    await transport.sendMail({ ...mail, signal });
  };
}
