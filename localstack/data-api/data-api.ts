import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock, type Clock } from "../clock.ts";
import { startLocalServer } from "../start-local-server.ts";
import { openConnections } from "./connections.ts";
import { DataApiError } from "./errors.ts";
import { createFaults, parseFaults, type Faults, type FaultSwitch } from "./faults.ts";
import { MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES } from "./limits.ts";
import { createOperations, type Operations } from "./operations.ts";
import { parseRequest, type Operation } from "./parse-request.ts";
import type { ReadSecret } from "./secrets.ts";
import { createTransactions } from "./transactions.ts";

export type DataApiOptions = {
  /** `postgres://` URL of the database that replaces the cluster. Its user is not used. */
  databaseUrl: string;
  /** The only values that requests may name; the synthesized template has them. */
  clusterArn: string;
  databaseName: string;
  /** The user and the password of the secret that a request names. */
  readSecret: ReadSecret;
  /** Undefined = a free one. */
  port?: number;
  /** An address to listen on besides the loopback ones. */
  host?: string | undefined;
  /** A name by which clients elsewhere, for example in containers, call that address. */
  nameElsewhere?: string | undefined;
  /** For the 45 s, 3 min and 24 h limits. */
  clock?: Clock;
  /** Gets one line for each call that failed for a reason other than the caller's SQL. */
  log?: (line: string) => void;
};

export type DataApiServer = {
  /** For `AWS_ENDPOINT_URL_RDS_DATA`. */
  readonly url: string;
  readonly faults: Faults;
  stop(): Promise<void>;
};

/**
 * The RDS Data API on this machine, over a real PostgreSQL: as strict as AWS where its behaviour is documented, stricter
 * where it is not, so that a call that works here works there.
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/Welcome.html
 */
export async function startDataApi(options: DataApiOptions): Promise<DataApiServer> {
  const { clock = systemClock, host, nameElsewhere } = options;
  const connections = openConnections(options.databaseUrl);
  const faults = createFaults();
  const transactions = createTransactions(connections, clock);
  const operations = createOperations({ connections, transactions, faults, clock, resources: options });

  // Connections stay open, so that a client never reuses one that is just closing.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    serve(request, response, operations, faults).catch((error: unknown) => {
      options.log?.(String(error));
      if (!response.headersSent) answerError(response, new DataApiError("InternalServerErrorException"));
    });
  });
  const names = nameElsewhere === undefined ? [] : [nameElsewhere];
  const listening = await startLocalServer(server, { port: options.port ?? 0, host, names });
  return {
    url: `http://127.0.0.1:${listening.port}`,
    faults,
    async stop() {
      faults.clear();
      server.closeAllConnections();
      await listening.close();
      await connections.close();
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, operations: Operations, faults: FaultSwitch) {
  const body = await readBody(request);
  if (body === undefined) return answerError(response, new DataApiError("RequestEntityTooLargeException", TOO_LARGE));
  if (request.url === "/_faults") return serveFaults(request.method, body, response, faults);
  const operation = request.method === "POST" ? OPERATIONS[request.url ?? ""] : undefined;
  if (operation === undefined) {
    const message = `The local Data API does not support ${request.method} ${request.url}`;
    return answerError(response, new DataApiError("UnknownOperationException", message));
  }

  try {
    if (!(await passFaults(operation, faults))) return void response.destroy();
    const run = operations[operation] as (parsed: unknown) => Promise<Record<string, unknown>>;
    const text = JSON.stringify(await run(parseRequest(operation, body)));
    const after = faults.take(["errorAfter", "dropAfter"], operation);
    if (after?.kind === "dropAfter") return void response.destroy();
    if (after?.kind === "errorAfter") throw injected(after.error);
    if (Buffer.byteLength(text) > MAX_RESPONSE_BYTES) throw new DataApiError("UnsupportedResultException", TOO_MUCH);
    answer(response, 200, text);
  } catch (error) {
    if (!(error instanceof DataApiError)) throw error;
    answerError(response, error);
  }
}

/** Applies the faults that come before the call; false if the connection must be closed without an answer. */
async function passFaults(operation: Operation, faults: FaultSwitch): Promise<boolean> {
  const delay = faults.take(["delay"], operation);
  if (delay !== undefined) await sleep(delay.milliseconds);
  const before = faults.take(["error", "dropBefore", "hang"], operation);
  if (before === undefined) return true;
  if (before.kind === "error") throw injected(before.error);
  if (before.kind === "hang") await faults.changed();
  return false;
}

function serveFaults(method: string | undefined, body: string, response: ServerResponse, faults: Faults): void {
  try {
    if (method === "PUT") faults.set(parseFaults(JSON.parse(body)));
    if (method === "DELETE") faults.clear();
  } catch (error) {
    return answer(response, 400, JSON.stringify({ message: String(error) }));
  }
  answer(response, 200, JSON.stringify(faults.list()));
}

/** The body; undefined if the whole request, headers included, is too large. The rest is read and dropped. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  let bytes = headBytes(request);
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_REQUEST_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}

function headBytes({ method = "", url = "", rawHeaders }: IncomingMessage): number {
  const requestLine = `${method} ${url} HTTP/1.1\r\n`.length;
  const separators = "\r\n".length + (rawHeaders.length / 2) * ": \r\n".length;
  return rawHeaders.reduce((total, part) => total + part.length, requestLine + separators);
}

function answer(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": randomUUID(),
    ...headers,
  });
  response.end(body);
}

function answerError(response: ServerResponse, { type, status, message, members }: DataApiError): void {
  const body = message === "" ? members : { message, ...members };
  answer(response, status, JSON.stringify(body), { "x-amzn-errortype": type });
}

function injected(type: DataApiError["type"]): DataApiError {
  return new DataApiError(type, INJECTED_MESSAGES[type] ?? "");
}

/** https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_Operations.html */
const OPERATIONS: Record<string, Operation> = {
  "/Execute": "ExecuteStatement",
  "/BeginTransaction": "BeginTransaction",
  "/CommitTransaction": "CommitTransaction",
  "/RollbackTransaction": "RollbackTransaction",
};

const INJECTED_MESSAGES: Partial<Record<DataApiError["type"], string>> = {
  DatabaseResumingException:
    "The Aurora DB instance is resuming after being auto-paused. Please wait a few seconds and try again.",
  ThrottlingException: "Rate exceeded",
};
const TOO_LARGE = `The request is larger than ${MAX_REQUEST_BYTES} bytes`;
const TOO_MUCH = "The result exceeds the size limit 1 MB";
