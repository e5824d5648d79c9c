import type { APIGatewayProxyEvent, Context, SQSEvent } from "aws-lambda";

/**
 * The handler of a function that API Gateway invokes, and an event source of SQS too. Lambda writes `Records` into every
 * event of an event source, and API Gateway writes `requestContext`; all that a client sends is below other members.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
export function httpOrQueue<Http, Batch>(handlers: {
  http: (event: APIGatewayProxyEvent, context: Context) => Http;
  queue: (event: SQSEvent, context: Context) => Batch;
}) {
  return (event: APIGatewayProxyEvent | SQSEvent, context: Context): Http | Batch =>
    "requestContext" in event ? handlers.http(event, context) : handlers.queue(event, context);
}
