import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { afterEach, expect, it, vi } from "vitest";
import { createDatabaseSecrets } from "../../functions/adapters/secrets-manager/database-secrets.ts";
import type { DatabaseCredentials } from "../../functions/core/database-roles.ts";
import { startSecretsManager } from "../../localstack/secrets-manager/secrets-manager.ts";
import { describeDatabaseSecrets } from "../support/conformance/database-secrets.ts";
import { stubAws } from "../support/local-aws.ts";
import { memorySecrets } from "../support/memory-secrets.ts";
import { secretModel, secretsManagerClient } from "../support/secrets-manager.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
  vi.unstubAllEnvs();
});

describeDatabaseSecrets("in memory", async (value) => {
  const secrets = memorySecrets();
  const secretArn = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:reader";
  secrets.create(secretArn, value);
  return {
    secrets,
    secretArn,
    startRotation: async () => {
      const id = randomUUID();
      secrets.startRotation(secretArn, id);
      return id;
    },
  };
});

describeDatabaseSecrets("in Secrets Manager", (value) => openSecret(JSON.stringify(value)));

it("secrets whose value is no user and password are refused, by the secret's name and without the value", async () => {
  for (const text of ["hunter2", "{}", '{"username":"hunter2"}', '{"username":"u","password":""}']) {
    const { secrets, secretArn } = await openSecret(text);

    const error = await secrets.read(secretArn, { stage: "AWSCURRENT" }).catch((reason: Error) => reason);

    expect(error).toMatchObject({
      name: "SecretError",
      message: `The secret ${secretArn} has no username and password. Restore its previous version.`,
    });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hunter2");
  }
});

it("secrets that cannot be reached fail with the call and the secret, without a value", async () => {
  const { secrets, secretArn } = await openSecret("{}");
  for (const stop of stops.splice(0).toReversed()) await stop();
  const value: DatabaseCredentials = { username: "u", password: "hunter2" };

  const error = await secrets.writePending(secretArn, randomUUID(), value).catch((reason: Error) => reason);

  expect(error).toMatchObject({
    name: "SecretError",
    message: expect.stringMatching(`^Secrets Manager did not write ${secretArn}: .+\\.$`),
  });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hunter2");
});

/** One secret in a Secrets Manager of its own, whose rotation function fails, so that a rotation stays at its beginning. */
async function openSecret(text: string) {
  const folder = await temporaryFolder();
  stops.push(() => folder.remove());
  const rotation = { functionArn: "arn:aws:lambda:us-east-1:000000000000:function:rotate" };
  const model = secretModel({ value: { kind: "given", text }, rotation });
  const server = await startSecretsManager({
    dataDir: join(folder.path, "secrets"),
    secrets: [model],
    invoke: async () => ({ kind: "crash", detail: "not here" }),
  });
  const client = secretsManagerClient(server.url);
  stops.push(
    () => server.stop(),
    () => client.destroy(),
  );
  stubAws({ AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url });
  return {
    secrets: createDatabaseSecrets(),
    secretArn: model.arn,
    startRotation: async () => {
      const { VersionId } = await client.send(
        new RotateSecretCommand({ SecretId: model.arn, ClientRequestToken: randomUUID() }),
      );
      return VersionId ?? "";
    },
  };
}
