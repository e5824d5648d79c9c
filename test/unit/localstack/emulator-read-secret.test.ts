import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readSecret } from "../../../localstack/emulator/read-secret.ts";

const ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:reader";

let server: Server;
let asked: unknown[] = [];
let answer: { status: number; body: unknown };
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.push([request.headers["x-amz-target"], JSON.parse(Buffer.concat(chunks).toString())]);
      response.writeHead(answer.status).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => server.close());
const read = () => readSecret(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, ARN);

it("a secret of the deployed stack is read from the emulator at each call", async () => {
  answer = {
    status: 200,
    body: { SecretString: JSON.stringify({ username: "u", password: "p", engine: "postgres" }) },
  };
  asked = [];

  expect(await read()).toEqual({ username: "u", password: "p" });
  expect(await read()).toEqual({ username: "u", password: "p" });

  const call = ["secretsmanager.GetSecretValue", { SecretId: ARN }];
  expect(asked).toEqual([call, call]);
});

it("a secret that the emulator does not have is undefined, and any other failure is an error", async () => {
  answer = { status: 400, body: { __type: "ResourceNotFoundException" } };
  expect(await read()).toBeUndefined();

  answer = { status: 500, body: { __type: "InternalError" } };
  await expect(read()).rejects.toThrow("The emulator answered 500 to secretsmanager.GetSecretValue.");
  answer = { status: 200, body: { SecretString: '{"username":"u"}' } };
  await expect(read()).rejects.toThrow("password");
});
