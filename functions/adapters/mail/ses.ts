import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { createTransport } from "nodemailer";
import type { SendMail } from "./email.ts";

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 2;

/** Sends e-mails through SES, as nodemailer writes them. */
export function createSes(): SendMail {
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
