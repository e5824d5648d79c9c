import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Runtime, startRuntime } from "../../localstack/runtime.ts";
import type { StackModel } from "../../localstack/template/model.ts";
import { copyCluster, removeDataDir } from "../support/cluster.ts";
import { dynamodbClient, tableModel } from "../support/dynamodb.ts";
import { eventually } from "../support/eventually.ts";
import { GENERATED, secretModel, secretsManagerClient } from "../support/secrets-manager.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

/** A function that writes what it is called with into the table, and finishes a rotation. It uses what Lambda would give it. */
const ROTATE = `
exports.handler = async ({ Step, SecretId, ClientRequestToken }) => {
  const call = async (variable, target, type, body) => {
    const response = await fetch(process.env[variable], {
      method: "POST",
      headers: {
        authorization: "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=0",
        "x-amz-date": "20260101T000000Z",
        "x-amz-target": target,
        "content-type": type,
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
  };
  const secret = (operation, body) =>
    call("AWS_ENDPOINT_URL_SECRETS_MANAGER", "secretsmanager." + operation, "application/x-amz-json-1.1", { SecretId, ...body });
  const Item = { id: { S: Step }, token: { S: ClientRequestToken } };
  await call("AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810.PutItem", "application/x-amz-json-1.0", { TableName: "steps", Item });
  if (Step === "createSecret") {
    const SecretString = '{"username":"sluice_writer_2","password":"new"}';
    await secret("PutSecretValue", { ClientRequestToken, SecretString, VersionStages: ["AWSCURRENT"] });
  }
};`;

const ROTATE_ARN = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
const STEPS = tableModel({ name: "steps", key: { hash: { name: "id", type: "S" } } });
const inside = { template: '{"username":"sluice_writer_1"}', key: "password" };
const WRITER = secretModel({
  value: { kind: "generated", ...GENERATED, inside },
  rotation: { functionArn: ROTATE_ARN },
});

let folder: TemporaryFolder;
let runtime: Runtime;
let lines: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, "rotate"));
  await writeFile(join(folder.path, "rotate", "index.js"), ROTATE);
  await copyCluster(inject("preparedCluster"), join(folder.path, "postgres"));
  await start();
});
afterAll(async () => {
  await runtime?.stop();
  await removeDataDir(folder.path);
});

async function start(fresh = false): Promise<void> {
  lines = [];
  runtime = await startRuntime({
    dataDir: folder.path,
    assemblyDir: inject("assemblyDir"),
    port: 0,
    fresh,
    log: (line) => lines.push(line),
    testHooks: { alter: withTableAndSecret },
  });
}

function withTableAndSecret(stack: StackModel): StackModel {
  const [first] = stack.functions;
  if (first === undefined) throw new Error("The template has no function.");
  const rotate = { ...first, logicalId: "Rotate", name: "rotate", arn: ROTATE_ARN, handler: "index.handler" };
  return {
    ...stack,
    functions: [...stack.functions, { ...rotate, assetPath: join(folder.path, "rotate"), environment: {} }],
    tables: [...stack.tables, STEPS],
    secrets: [...stack.secrets, WRITER],
  };
}

async function readSecret(SecretId: string): Promise<{ username: string; password: string }> {
  const client = secretsManagerClient(runtime.addresses.secretsManagerUrl);
  const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId }));
  client.destroy();
  return JSON.parse(text ?? "") as { username: string; password: string };
}

async function onTable<Answer>(use: (client: ReturnType<typeof dynamodbClient>) => Promise<Answer>): Promise<Answer> {
  const client = dynamodbClient(runtime.addresses.dynamodbUrl);
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

const getStep = (id: string) =>
  onTable((client) => client.send(new GetItemCommand({ TableName: "steps", Key: { id: { S: id } } })));

describe("the tables and secrets of the local runtime", () => {
  it("a secret is rotated by the stack's own function, which has the endpoints of tables and secrets", async () => {
    const { username, password } = new URL(runtime.addresses.databaseUrl);
    expect(await readSecret(runtime.addresses.secretArn)).toEqual({ username, password });
    expect((await readSecret("writer")).username).toBe("sluice_writer_1");
    const client = secretsManagerClient(runtime.addresses.secretsManagerUrl);

    const { VersionId: token } = await client.send(new RotateSecretCommand({ SecretId: WRITER.arn }));
    client.destroy();
    await eventually(
      () => lines.join("\n"),
      (log) => log.includes("secrets-manager: The secret writer was rotated"),
    );

    expect(await readSecret("writer")).toEqual({ username: "sluice_writer_2", password: "new" });
    for (const step of ["createSecret", "setSecret", "testSecret", "finishSecret"]) {
      expect((await getStep(step)).Item, step).toEqual({ id: { S: step }, token: { S: token } });
    }
  });

  it("items and values are there after a restart, and deleted with --fresh", async () => {
    await onTable((client) => client.send(new PutItemCommand({ TableName: "steps", Item: { id: { S: "kept" } } })));
    const before = await readSecret("writer");
    await runtime.stop();

    await start();
    expect((await getStep("kept")).Item).toEqual({ id: { S: "kept" } });
    expect(await readSecret("writer")).toEqual(before);
    await runtime.stop();

    await start(true);
    expect((await getStep("kept")).Item).toBeUndefined();
    expect((await readSecret("writer")).password).not.toBe(before.password);
  });
});
