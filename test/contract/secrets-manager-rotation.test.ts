import { randomUUID } from "node:crypto";
import { join } from "node:path";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { InvokeResult } from "../../localstack/lambda/invoke.ts";
import { type SecretsManager, startSecretsManager } from "../../localstack/secrets-manager/secrets-manager.ts";
import { eventually } from "../support/eventually.ts";
import { secretModel, secretsManagerClient } from "../support/secrets-manager.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

type Event = { Step: string; SecretId: string; ClientRequestToken: string; RotationToken: string };

const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"];
const ROTATE = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
const WRITER = secretModel({ rotation: { functionArn: ROTATE } });
const FIXED = secretModel({ name: "fixed" });
const SUCCESS: InvokeResult = { kind: "success", payload: "null" };

let folder: TemporaryFolder;
let server: SecretsManager;
let client: SecretsManagerClient;
let lines: string[];
let events: Event[];
/** The result of a step of the rotation function, instead of its work. */
let failing: Record<string, InvokeResult | Error>;
/** The function waits for it. */
let mayBegin: Promise<unknown>;

beforeEach(async () => {
  folder = await temporaryFolder();
  [lines, events, failing, mayBegin] = [[], [], {}, Promise.resolve()];
  server = await startSecretsManager({
    dataDir: join(folder.path, "secrets"),
    secrets: [WRITER, FIXED],
    invoke: rotateAsAFunctionDoes,
    log: (line) => lines.push(line),
  });
  client = secretsManagerClient(server.url);
});
afterEach(async () => {
  client.destroy();
  await server.stop();
  await folder.remove();
});

/** The steps of AWS's templates: https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas */
async function rotateAsAFunctionDoes(functionArn: string, payload: string): Promise<InvokeResult> {
  const event = JSON.parse(payload) as Event;
  events.push(event);
  await mayBegin;
  const result = failing[event.Step];
  if (result instanceof Error) throw result;
  if (result !== undefined || functionArn !== ROTATE) return result ?? { kind: "crash", detail: functionArn };
  const { SecretId, ClientRequestToken: token } = event;
  if (event.Step === "createSecret") {
    const pending = new GetSecretValueCommand({ SecretId, VersionId: token, VersionStage: "AWSPENDING" });
    const name = await client.send(pending).then(
      () => "it has one",
      (error: Error) => error.name,
    );
    if (name === "ResourceNotFoundException") {
      const value = { SecretString: `value of ${token}`, VersionStages: ["AWSPENDING"], ClientRequestToken: token };
      await client.send(new PutSecretValueCommand({ SecretId, ...value }));
    }
  }
  if (event.Step === "finishSecret") {
    const { VersionId: current } = await client.send(new GetSecretValueCommand({ SecretId }));
    const move = { VersionStage: "AWSCURRENT", MoveToVersionId: token, RemoveFromVersionId: current };
    await client.send(new UpdateSecretVersionStageCommand({ SecretId, ...move }));
  }
  return SUCCESS;
}

const rotate = (ClientRequestToken: string = randomUUID(), SecretId = WRITER.arn) =>
  client.send(new RotateSecretCommand({ SecretId, ClientRequestToken }));
const describeSecret = () => client.send(new DescribeSecretCommand({ SecretId: WRITER.arn }));
const current = async () => (await client.send(new GetSecretValueCommand({ SecretId: WRITER.arn }))).VersionId ?? "";
const lastLine = (text: string) =>
  eventually(
    () => lines.at(-1) ?? "",
    (line) => line.includes(text),
  );

describe("a rotation", () => {
  it("a rotation calls its function with the four steps in order, and its version becomes the current one", async () => {
    const before = await current();
    const token = randomUUID();

    const answer = await rotate(token);
    await lastLine("was rotated");

    expect(answer).toMatchObject({ ARN: WRITER.arn, Name: WRITER.name, VersionId: token });
    expect(events.map(({ Step }) => Step)).toEqual(STEPS);
    expect(new Set(events.map(({ SecretId }) => SecretId))).toEqual(new Set([WRITER.arn]));
    expect(new Set(events.map(({ ClientRequestToken }) => ClientRequestToken))).toEqual(new Set([token]));
    expect(new Set(events.map(({ RotationToken }) => RotationToken)).size).toBe(1);
    expect(await describeSecret()).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: ROTATE,
      LastRotatedDate: expect.any(Date),
      VersionIdsToStages: { [before]: ["AWSPREVIOUS"], [token]: ["AWSPENDING", "AWSCURRENT"] },
    });
  });

  it("a rotation can follow another", async () => {
    for (const token of [randomUUID(), randomUUID()]) {
      await rotate(token);
      await eventually(current, (version) => version === token);
      await lastLine("was rotated");
    }

    expect(events).toHaveLength(8);
  });

  it("a rotation begins with a version that has no value yet", async () => {
    const token = randomUUID();
    failing = { createSecret: { kind: "timeout", seconds: 3 } };

    await rotate(token);
    await lastLine("createSecret");

    expect((await describeSecret()).VersionIdsToStages).toMatchObject({ [token]: ["AWSPENDING"] });
    const read = client.send(new GetSecretValueCommand({ SecretId: WRITER.arn, VersionId: token }));
    await expect(read).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    const take = { VersionStage: "AWSCURRENT", MoveToVersionId: token, RemoveFromVersionId: await current() };
    const move = client.send(new UpdateSecretVersionStageCommand({ SecretId: WRITER.arn, ...take }));
    await expect(move).rejects.toMatchObject({ name: "InvalidRequestException" });
  });

  it.each(STEPS)(
    "a rotation that fails in %s ends there, is named in the log, and is tried again when asked",
    async (step) => {
      const before = await current();
      const token = randomUUID();
      failing = { [step]: { kind: "error", errorType: "Error", errorMessage: "no route", stack: [] } };

      await rotate(token);
      await lastLine(`The rotation of the secret writer failed in ${step}: Error: no route`);

      expect(events.map(({ Step }) => Step)).toEqual(STEPS.slice(0, STEPS.indexOf(step) + 1));
      expect(await current()).toBe(before);
      expect((await describeSecret()).LastRotatedDate).toBeUndefined();
      failing = {};
      await expect(rotate()).rejects.toMatchObject({
        name: "InvalidRequestException",
        message: "A previous rotation isn't complete. That rotation will be reattempted.",
      });
      await lastLine("was rotated");
      expect(await current()).toBe(token);
    },
  );

  it.each<[string, InvokeResult | Error, string]>([
    ["times out", { kind: "timeout", seconds: 3 }, "timed out after 3 s"],
    ["ends its process", { kind: "crash", detail: "exit 1" }, "exit 1"],
    ["finds no capacity", { kind: "throttle" }, "no capacity"],
    ["is not in the stack", new Error("not one of its functions"), "not one of its functions"],
  ])("a rotation whose function %s says so", async (_, result, text) => {
    failing = { setSecret: result };

    await rotate();

    expect(await lastLine("failed")).toContain(`failed in setSecret: ${text}`);
  });

  it("a rotation whose function does not make its version the current one has failed", async () => {
    failing = { finishSecret: SUCCESS };
    const token = randomUUID();

    await rotate(token);

    await lastLine(`failed in finishSecret: version ${token} did not get AWSCURRENT`);
    expect((await describeSecret()).LastRotatedDate).toBeUndefined();
  });

  it("a request that is repeated begins no second rotation", async () => {
    const token = randomUUID();

    const requests = Promise.all([rotate(token), rotate(token), rotate(token)]);
    mayBegin = requests;
    const answers = await requests;
    await lastLine("was rotated");
    answers.push(await rotate(token));

    expect(new Set(answers.map(({ VersionId }) => VersionId))).toEqual(new Set([token]));
    expect(events).toHaveLength(4);
  });

  it("a rotation during another is refused", async () => {
    const requests = Promise.allSettled([rotate(), rotate(), rotate()]);
    mayBegin = requests;
    const outcomes = await requests;
    await lastLine("was rotated");

    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(events).toHaveLength(4);
  });

  it("a secret without a rotation function is not rotated", async () => {
    await expect(rotate(undefined, FIXED.arn)).rejects.toMatchObject({ name: "InvalidRequestException" });
    expect((await client.send(new DescribeSecretCommand({ SecretId: FIXED.arn }))).RotationEnabled).toBeUndefined();
  });

  it("a rotation that only tests its settings is refused, because a schedule does not run here", async () => {
    const later = new RotateSecretCommand({ SecretId: WRITER.arn, RotateImmediately: false });

    await expect(client.send(later)).rejects.toThrow("a schedule does not run here");
  });

  it("a rotation ends with the server before its next step", async () => {
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    const own = await startSecretsManager({
      dataDir: join(folder.path, "own"),
      secrets: [WRITER],
      invoke: async () => {
        entered.resolve();
        await leave.promise;
        return SUCCESS;
      },
      log: (line) => lines.push(line),
    });
    const ownClient = secretsManagerClient(own.url);
    await ownClient.send(new RotateSecretCommand({ SecretId: WRITER.arn }));
    await entered.promise;

    const stopped = own.stop();
    leave.resolve();
    await stopped;

    ownClient.destroy();
    expect(lines).toEqual(["The rotation of the secret writer failed in setSecret: the runtime stops"]);
  });
});
