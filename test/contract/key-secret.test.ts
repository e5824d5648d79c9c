import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createKeySecret } from "../../functions/adapters/secrets-manager/key-secret.ts";
import { freezeDate } from "../support/freeze-date.ts";
import { stubAws } from "../support/local-aws.ts";

const ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:keys";

/** A Secrets Manager that answers as a test says, and counts its calls. */
async function openSecretsManager(answers: { status: number; body: object }[]) {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      asked.push(JSON.parse(Buffer.concat(chunks as Buffer[]).toString()));
      const { status, body } = answers[Math.min(asked.length, answers.length) - 1] ?? { status: 500, body: {} };
      return response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stubAws({ AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return asked;
}

const found = { status: 200, body: { ARN, SecretString: "the secret" } };
const refused = { status: 400, body: { __type: "AccessDeniedException", message: "no" } };

describe("the secret of the keys", () => {
  it("is read once, however many calls ask for it at once", async () => {
    const asked = await openSecretsManager([found]);
    const secret = createKeySecret(ARN);

    const read = [...(await Promise.all([secret(), secret(), secret()])), await secret()];

    expect(new Set(read.map((bytes) => Buffer.from(bytes).toString()))).toEqual(new Set(["the secret"]));
    expect(asked).toEqual([{ SecretId: ARN }]);
  });

  it("is asked for again a second after a failure, which is an AccessError", async () => {
    const asked = await openSecretsManager([refused, found]);
    const secret = createKeySecret(ARN);
    const start = freezeDate();

    await expect(secret()).rejects.toMatchObject({ name: "AccessError" });
    vi.setSystemTime(start + 999);
    await expect(secret()).rejects.toMatchObject({ name: "AccessError" });
    expect(asked).toHaveLength(1);
    vi.setSystemTime(start + 1_000);

    expect(Buffer.from(await secret()).toString()).toBe("the secret");
    expect(asked).toHaveLength(2);
  });

  it("is not waited for without end where the answer begins and its body never comes", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.1", "content-length": 100 }).write("{");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    stubAws({ AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    onTestFinished(() => {
      vi.unstubAllEnvs();
      server.closeAllConnections();
      server.close();
    });

    await expect(createKeySecret(ARN)()).rejects.toMatchObject({ name: "AccessError" });
  });

  it("is never empty: such a secret would make the hashes those of no secret", async () => {
    await openSecretsManager([{ status: 200, body: { ARN, SecretString: "" } }]);

    await expect(createKeySecret(ARN)()).rejects.toMatchObject({ name: "AccessError" });
  });
});
