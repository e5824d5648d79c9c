import type { APIGatewayProxyEvent, Context, SQSEvent } from "aws-lambda";

/**
 * The handler of a function that API Gateway and an event source of SQS invoke (http-or-queue.ts), and a schedule: EventBridge
 * writes neither `requestContext` nor `Records` into its event.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
 */
export function httpQueueOrTask<Http, Batch, Task>(handlers: {
  http: (event: APIGatewayProxyEvent, context: Context) => Http;
  queue: (event: SQSEvent, context: Context) => Batch;
  task: (event: unknown, context: Context) => Task;
}) {
  return (event: APIGatewayProxyEvent | SQSEvent | object, context: Context): Http | Batch | Task => {
    if ("requestContext" in event) return handlers.http(event, context);
    return "Records" in event ? handlers.queue(event, context) : handlers.task(event, context);
  };
}
