import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import type { SendMail } from "./email.ts";

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 2;

/**
 * Sends e-mails through SES, as nodemailer writes them, which is loaded by the call. Of the client of SES a bundle has what is used, and
 * nothing runs at its start; imported later, it would make the bundler keep all of the SDK.
 */
export async function createSes(): Promise<SendMail> {
  const { createTransport } = await import("nodemailer");
  const client = new SESv2Client({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK logs a warning and waits on.
      throwOnRequestTimeout: true,
    },
  });
  return async (mail, abortSignal) => {
    const send = (command: unknown) => client.send(command as SendEmailCommand, { abortSignal });
    await createTransport({ SES: { sesClient: { send }, SendEmailCommand } }).sendMail(mail);
  };
}
