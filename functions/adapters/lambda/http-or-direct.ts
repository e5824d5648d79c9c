import middy from "@middy/core";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { monotonicMs } from "./monotonic-ms.ts";
import { type Observability, observed, writeOutcome } from "./observability.ts";

/**
 * The handler of a function that API Gateway invokes, and people with AWS credentials too. API Gateway writes
 * `requestContext` into every event of a proxy integration. All that a client sends is below other members (`body`,
 * `headers`, `path` …), so no client can send an event of another form.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function httpOrDirect<Http, Answer extends { id: string }>(options: {
  http: (event: APIGatewayProxyEvent, context: Context) => Http;
  /** Answers a direct invocation; an error of it fails the invocation. */
  direct: (event: unknown, requestId: string) => Promise<Answer>;
  observability: Observability;
}) {
  const direct = middy<unknown, Answer>()
    .use(observed(options.observability))
    .handler(async (event, context) => {
      const started = monotonicMs();
      const answer = await options.direct(event, context.awsRequestId);
      // Not the answer: it has a key.
      const fields = { keyId: answer.id, durationMs: Math.round(monotonicMs() - started) };
      const span = { kind: "internal" as const, attributes: {} };
      writeOutcome(options.observability, { level: "info", message: "task", fields, counts: {}, span });
      return answer;
    });
  return (event: unknown, context: Context): Http | Promise<Answer> =>
    isOfApiGateway(event) ? options.http(event, context) : direct(event, context);
}

function isOfApiGateway(event: unknown): event is APIGatewayProxyEvent {
  return typeof event === "object" && event !== null && "requestContext" in event;
}
