/**
 * Puts advice in front of the SDK's message when a call to SQS failed. Any other error stays as it is.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
export function withAdvice(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const advice = ADVICE[code] ?? ADVICE[error.name];
  return advice === undefined ? error : new Error(`${advice} (${code}: ${error.message})`, { cause: error });
}

const NO_QUEUE =
  "The queue does not exist: check its URL, or run `npm run deploy` again, which writes the queues' URLs to outputs.json.";
const NO_ACCESS =
  "AWS refuses access: the credentials need sqs:ReceiveMessage, DeleteMessage, ChangeMessageVisibility, SendMessage, GetQueueAttributes and StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask.";
const NO_CREDENTIALS = "There are no valid AWS credentials: log in, or set AWS_PROFILE.";
const NO_ANSWER = "SQS does not answer: check the network, or, for the runtime on this machine, that `npm start` runs.";

const ADVICE: Record<string, string> = {
  QueueDoesNotExist: NO_QUEUE,
  "AWS.SimpleQueueService.NonExistentQueue": NO_QUEUE,
  AccessDenied: NO_ACCESS,
  AccessDeniedException: NO_ACCESS,
  CredentialsProviderError: NO_CREDENTIALS,
  ExpiredToken: NO_CREDENTIALS,
  ExpiredTokenException: NO_CREDENTIALS,
  InvalidClientTokenId: NO_CREDENTIALS,
  UnrecognizedClientException: NO_CREDENTIALS,
  SignatureDoesNotMatch: NO_CREDENTIALS,
  ECONNREFUSED: NO_ANSWER,
  ECONNRESET: NO_ANSWER,
  ENOTFOUND: NO_ANSWER,
  ETIMEDOUT: NO_ANSWER,
  TimeoutError: NO_ANSWER,
};
