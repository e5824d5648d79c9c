/** Replaces `@aws-sdk/client-sqs` in the measured bundle with a queue that confirms every message at once. */
export class SQSClient {
  send({ input }: SendMessageBatchCommand): Promise<{ Successful: { Id: string }[] }> {
    return Promise.resolve({ Successful: input.Entries.map(({ Id }) => ({ Id })) });
  }
}

export class SendMessageBatchCommand {
  readonly input: { Entries: { Id: string }[] };

  constructor(input: SendMessageBatchCommand["input"]) {
    this.input = input;
  }
}
