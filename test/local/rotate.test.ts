import { randomUUID } from "node:crypto";
import { GetSecretValueCommand, RotateSecretCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readAssembly } from "../../localstack/template/assembly.ts";
import { readStack } from "../../localstack/template/read-stack.ts";
import { eventually } from "../support/eventually.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { secretsManagerClient } from "../support/secrets-manager.ts";

let runtime: TestRuntime;
let client: SecretsManagerClient;
let secrets: string[];
beforeAll(async () => {
  runtime = await startTestRuntime();
  client = secretsManagerClient(runtime.addresses.secretsManagerUrl);
  const assembly = await readAssembly(inject("assemblyDir"));
  secrets = readStack(assembly, { sqsEndpoint: "http://127.0.0.1" })
    .secrets.filter(({ rotation }) => rotation !== undefined)
    .map(({ arn }) => arn);
});
afterAll(async () => {
  client?.destroy();
  await runtime?.remove();
});

const userOf = async (secretArn: string) => {
  const { SecretString = "{}" } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return (JSON.parse(SecretString) as { username: string }).username;
};
/** Sends an event and reads it, with the roles of both functions. */
async function storeAndRead(): Promise<number> {
  const id = randomUUID();
  const headers = { "content-type": "application/json", authorization: `Bearer ${runtime.addresses.apiKey}` };
  const body = JSON.stringify({ id, source: "/rotate", type: "com.example.rotated", data: {} });
  const { status } = await fetch(`${runtime.addresses.url}/events`, { method: "POST", headers, body });
  expect(status).toBe(202);
  const read = await eventually(
    () => fetch(`${runtime.addresses.url}/events/${id}`, { headers }),
    ({ status }) => status === 200,
  );
  return read.status;
}

describe("a rotation on this machine", () => {
  it("a rotation on this machine changes the users of both roles, there and back, and the functions go on", async () => {
    expect(secrets).toHaveLength(2);
    const firsts = ["sluice_reader_1", "sluice_writer_1"];
    const seconds = ["sluice_reader_2", "sluice_writer_2"];
    const users = async () => (await Promise.all(secrets.map(userOf))).toSorted();

    for (const expected of [seconds, firsts]) {
      for (const SecretId of secrets)
        await client.send(new RotateSecretCommand({ SecretId, ClientRequestToken: randomUUID() }));
      await eventually(users, (names) => names.join() === expected.join());
      expect(await storeAndRead()).toBe(200);
    }

    const logged = runtime.lines.filter((line) => /The rotation of the secret .* failed/.test(line));
    expect(logged).toEqual([]);
    const steps = runtime.lines.filter((line) => line.includes('"step":"finishSecret"'));
    expect(steps).toHaveLength(4);
    for (const line of steps) expect(line).toContain('"loginSeen":true');
  });

  it("a rotation on this machine leaves no password in any line", async () => {
    const values = await Promise.all(secrets.map((SecretId) => client.send(new GetSecretValueCommand({ SecretId }))));
    const passwords = values.map(
      ({ SecretString = "{}" }) => (JSON.parse(SecretString) as { password: string }).password,
    );

    for (const password of passwords) {
      expect(password.length).toBeGreaterThan(30);
      expect(runtime.lines.filter((line) => line.includes(password))).toEqual([]);
    }
    expect(runtime.lines.filter((line) => line.includes("SCRAM-SHA-256"))).toEqual([]);
  });
});
