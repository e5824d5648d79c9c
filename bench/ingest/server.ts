import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";

/**
 * Serves one contender behind `node:http` in its own process: `server.ts bare`, or `server.ts function INDEX_JS` with the
 * bundle of a function. It sends its port over IPC, and its CPU time on each message.
 *
 * Ours includes all work of the function: decoding base64 (as API Gateway passes bodies), middleware, decoding,
 * verdicts, packing, the entries of the queue's calls, both log lines on stdout, and the answer. It also includes making
 * the base64 text and the proxy event, and the check of the key. It excludes parsing that event from JSON, which Lambda's runtime does; and, where they
 * are stubbed, the calls of SQS.
 *
 * `bare` is the minimum for the same request and answer: `JSON.parse`, one verdict per event, `JSON.stringify`.
 */
const [kind = "", bundle = ""] = process.argv.slice(2);

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const contenders: Record<string, () => Answer> = { bare: () => answerBare, function: answerAsDeployed };

function answerBare(_request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const parsed = JSON.parse(body.toString()) as { id: string } | { id: string }[];
  const results = [parsed].flat().map(({ id }, index) => ({ index, id, status: "accepted" }));
  respond(response, 202, HEADERS, JSON.stringify({ accepted: results.length, rejected: 0, results }));
}

const HEADERS = { "content-type": "application/json", "x-content-type-options": "nosniff" };

function answerAsDeployed(): Answer {
  const { handler } = createRequire(import.meta.url)(bundle) as { handler: Handler };
  return (request, response, body) =>
    void handler(proxyEvent(request, body), context).then(({ statusCode, headers, body: text }) =>
      respond(response, statusCode, headers, text),
    );
}

type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

const context = {
  awsRequestId: "8f507cfc-9131-46f2-a1d4-0e3bd7d5f1a5",
  functionName: "ingest",
  functionVersion: "$LATEST",
  invokedFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:ingest",
  memoryLimitInMB: "512",
  getRemainingTimeInMillis: () => 10_000,
} as Context;

/** Makes API Gateway's event with the members that the function reads. */
function proxyEvent(request: IncomingMessage, body: Buffer): APIGatewayProxyEvent {
  return {
    resource: "/events",
    path: "/events",
    httpMethod: request.method ?? "",
    multiValueHeaders: request.headersDistinct,
    queryStringParameters: null,
    pathParameters: null,
    requestContext: { requestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef" },
    body: body.toString("base64"),
    isBase64Encoded: true,
  } as unknown as APIGatewayProxyEvent;
}

function respond(response: ServerResponse, status: number, headers: object | undefined, body: string): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

const answer = contenders[kind]?.();
if (answer === undefined) throw new Error(`Name a contender: ${Object.keys(contenders).join(" or ")}.`);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const [first = Buffer.alloc(0)] = chunks;
    answer(request, response, chunks.length === 1 ? first : Buffer.concat(chunks));
  });
});
server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
process.on("message", () => process.send?.(process.cpuUsage()));
process.on("disconnect", () => process.exit());
