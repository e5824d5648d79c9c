import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { messageOf } from "../message-of.ts";
import { startLocalServer } from "../start-local-server.ts";
import type { SecretModel } from "../template/model.ts";
import { type Credentials, parseCredentials } from "./credentials.ts";
import { invalidRequest, SecretsManagerError } from "./errors.ts";
import { createOperations, type Operations } from "./operations.ts";
import { isOperation, parseRequest } from "./parse-request.ts";
import { createRotations, type RotationDeps } from "./rotations.ts";
import { type ManagedSecret, managedSecret, openSecrets } from "./secrets.ts";
import { CURRENT, withStage } from "./versions.ts";

export type SecretsManagerOptions = {
  /** Folder of the values, created if missing. */
  dataDir: string;
  secrets: SecretModel[];
  managed?: ManagedSecret[];
  /** Calls rotation functions. */
  invoke: RotationDeps["invoke"];
  /** Undefined = a free one. */
  port?: number;
  /** Gets one line for each rotation, and for each failure of the server itself; never a value. */
  log?: (line: string) => void;
};

export type SecretsManager = {
  /** For `AWS_ENDPOINT_URL_SECRETS_MANAGER`. */
  readonly url: string;
  /** The current credentials in a secret; undefined if there is no such secret, or it has no credentials. */
  readSecret(arn: string): Promise<Credentials | undefined>;
  stop(): Promise<void>;
};

/**
 * AWS Secrets Manager on this machine, with the secrets of the template: as strict as AWS where its behaviour is
 * documented, stricter where it is not. Schedules and the rotation at a deployment do not run; `RotateSecret` does.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
 * @throws Error if a kept secret is damaged or its rules cannot be met
 */
export async function startSecretsManager(options: SecretsManagerOptions): Promise<SecretsManager> {
  const { dataDir, invoke, managed = [], log = () => undefined } = options;
  const deps = { now: () => Date.now() / 1_000, newId: () => randomUUID(), log };
  const own = await openSecrets(options.secrets, { folder: dataDir, ...deps });
  const secrets = [...own, ...managed.map((secret) => managedSecret(secret, deps.now()))];
  const rotations = createRotations({ invoke, ...deps });
  const operations = createOperations({ secrets, rotations, now: deps.now });

  // Connections stay open, so that a client never reuses one that is just closing.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    serve(request, response, operations).catch((error: unknown) => {
      log(messageOf(error));
      if (!response.headersSent) answerError(response, new SecretsManagerError("InternalServiceError", ""));
    });
  });
  const listening = await startLocalServer(server, { port: options.port ?? 0 });
  return {
    url: `http://127.0.0.1:${listening.port}`,
    readSecret: async (arn) => {
      const kept = secrets.find((secret) => secret.arn === arn)?.kept;
      const text = kept && withStage(kept.versions, CURRENT)?.text;
      return text === undefined ? undefined : parseCredentials(text);
    },
    async stop() {
      await rotations.stop();
      server.closeAllConnections();
      await listening.close();
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, operations: Operations): Promise<void> {
  const body = await readBody(request);
  const [, operation = ""] = /^secretsmanager\.(\w+)$/.exec(String(request.headers["x-amz-target"])) ?? [];
  try {
    if (!isOperation(operation)) {
      const asked = `${request.method} ${operation || request.url}`;
      throw new SecretsManagerError("UnknownOperationException", `The local Secrets Manager does not support ${asked}`);
    }
    if (!request.headers.authorization?.startsWith("AWS4-")) {
      throw new SecretsManagerError("MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    if (body === undefined) throw invalidRequest(`The request is larger than ${MAX_REQUEST_BYTES} bytes`);
    const run = operations[operation] as (parsed: unknown) => Promise<Record<string, unknown>>;
    answer(response, 200, await run(parseRequest(operation, body)));
  } catch (error) {
    if (!(error instanceof SecretsManagerError)) throw error;
    answerError(response, error);
  }
}

/** The body; undefined if it is too large. The rest is read and dropped. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  let bytes = 0;
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_REQUEST_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}

function answer(response: ServerResponse, status: number, members: Record<string, unknown>): void {
  const body = JSON.stringify(members);
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.1",
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": randomUUID(),
  });
  response.end(body);
}

function answerError(response: ServerResponse, { type, status, message }: SecretsManagerError): void {
  answer(response, status, { __type: type, Message: message });
}

/** A secret of 64 KB is six times as long with every character escaped. */
const MAX_REQUEST_BYTES = 512 * 1_024;
