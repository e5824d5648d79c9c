import type { NotifyOutcome } from "./notifier.ts";

/**
 * Errors of AWS services that concern this message alone, which no later call changes. All others are about the sink, its rights or
 * the service: they are tried again.
 * @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
 * @see https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
 */
const OF_THE_MESSAGE: ReadonlySet<string> = new Set([
  "InvalidParameter",
  "InvalidParameterException",
  "ParameterValueInvalid",
  "InvalidParameterValue",
  "InvalidParameterValueException",
  "InvalidMessageContents",
  "BatchRequestTooLong",
  "MessageRejected",
  "BadRequestException",
]);

/** The outcome of a call of the AWS SDK that failed. Its message may quote the event; the name of the error does not. */
export function toSdkOutcome(service: string, cause: unknown): NotifyOutcome {
  const { name, $metadata } = cause as { name?: string; $metadata?: { httpStatusCode?: number } };
  const code = $metadata?.httpStatusCode;
  const kind = OF_THE_MESSAGE.has(name ?? "") ? "never" : "later";
  const error =
    name === "AbortError" ? `${service} did not answer in time.` : `${service} refused a call: ${name ?? "unknown"}.`;
  return { kind, ...(code !== undefined && { code }), error };
}
