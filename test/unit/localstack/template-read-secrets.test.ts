import { describe, expect, it } from "vitest";
import type { FunctionModel } from "../../../localstack/template/model.ts";
import { readSecrets } from "../../../localstack/template/read-secrets.ts";
import { createResolver } from "../../../localstack/template/resolver.ts";
import type { Resource } from "../../../localstack/template/template.ts";

const ENVIRONMENT = { stackName: "Stack", region: "us-east-1", accountId: "000000000000", sqsEndpoint: "" };
const ROTATE = { name: "rotate", arn: "arn:aws:lambda:us-east-1:000000000000:function:rotate" } as FunctionModel;

function read(properties: Record<string, unknown>, others: Record<string, Resource> = {}) {
  const Resources = { Writer: { Type: "AWS::SecretsManager::Secret", Properties: properties }, ...others };
  const resolver = createResolver({ Resources }, ENVIRONMENT);
  return { secrets: readSecrets(resolver, [ROTATE]), ref: resolver.ref("Writer", "") };
}

const rotation = (properties: Record<string, unknown> = {}): Record<string, Resource> => ({
  Rotation: {
    Type: "AWS::SecretsManager::RotationSchedule",
    Properties: {
      SecretId: { Ref: "Writer" },
      RotationLambdaARN: ROTATE.arn,
      RotationRules: { ScheduleExpression: "rate(30 days)" },
      RotateImmediatelyOnUpdate: false,
      ...properties,
    },
  },
});
const GENERATED = { GenerateSecretString: {} };

describe("a secret of the template", () => {
  it("a generated secret has the rules of Secrets Manager where the template gives none", () => {
    const { secrets, ref } = read({ Name: "sluice/writer", Description: "a login", ...GENERATED });

    expect(secrets).toEqual([
      {
        logicalId: "Writer",
        name: "sluice/writer",
        arn: expect.stringMatching(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:sluice\/writer-[0-9a-z]{6}$/),
        description: "a login",
        value: {
          kind: "generated",
          length: 32,
          excluded: "",
          lowercase: true,
          uppercase: true,
          numbers: true,
          punctuation: true,
          space: false,
          everyKind: true,
          inside: undefined,
        },
        rotation: undefined,
      },
    ]);
    expect(ref).toBe(secrets[0]?.arn);
  });

  it("a generated secret has the rules of the template", () => {
    const { secrets } = read({
      GenerateSecretString: {
        PasswordLength: 40,
        ExcludeCharacters: '"@/\\',
        ExcludeLowercase: true,
        ExcludeUppercase: true,
        ExcludeNumbers: true,
        ExcludePunctuation: true,
        IncludeSpace: true,
        RequireEachIncludedType: false,
        SecretStringTemplate: '{"username":"sluice_writer_1"}',
        GenerateStringKey: "password",
      },
    });

    expect(secrets[0]?.value).toEqual({
      kind: "generated",
      length: 40,
      excluded: '"@/\\',
      lowercase: false,
      uppercase: false,
      numbers: false,
      punctuation: false,
      space: true,
      everyKind: false,
      inside: { template: '{"username":"sluice_writer_1"}', key: "password" },
    });
  });

  it("a secret without a name gets the same generated one at every start", () => {
    const [first, second] = [read(GENERATED), read(GENERATED)].map(({ secrets }) => secrets[0]);

    expect(first?.name).toMatch(/^Stack-Writer-[0-9A-Z]{12}$/);
    expect(first?.arn.startsWith(`arn:aws:secretsmanager:us-east-1:000000000000:secret:${first.name}-`)).toBe(true);
    expect(second).toEqual(first);
  });

  it("a secret has the function that rotates it", () => {
    expect(read(GENERATED, rotation()).secrets[0]?.rotation).toEqual({ functionArn: ROTATE.arn });
  });

  it.each([
    ["a secret without a value", {}, "Writer.Properties: a secret has either GenerateSecretString or SecretString"],
    ["a secret with two values", { ...GENERATED, SecretString: "x" }, "either GenerateSecretString or SecretString"],
    [
      "a secret in other regions",
      { ...GENERATED, ReplicaRegions: [] },
      "Writer.Properties.ReplicaRegions is not supported",
    ],
    [
      "a secret of no length",
      { GenerateSecretString: { PasswordLength: 0 } },
      "PasswordLength: 0 is not from 1 to 4096",
    ],
    ["a secret that is too long", { GenerateSecretString: { PasswordLength: 4097 } }, "4097 is not from 1 to 4096"],
    ["a template without a key", { GenerateSecretString: { SecretStringTemplate: "{}" } }, "go together"],
    ["a key without a template", { GenerateSecretString: { GenerateStringKey: "password" } }, "go together"],
    [
      "a template that is a list",
      { GenerateSecretString: { SecretStringTemplate: "[]", GenerateStringKey: "password" } },
      "SecretStringTemplate: it must be a JSON object",
    ],
    [
      "a template that is no JSON",
      { GenerateSecretString: { SecretStringTemplate: "username", GenerateStringKey: "password" } },
      "SecretStringTemplate: it must be a JSON object",
    ],
  ])("%s is an error", (_, properties, message) => {
    expect(() => read(properties)).toThrow(message);
  });

  it.each([
    [
      "a function of another stack",
      { RotationLambdaARN: "arn:aws:lambda:other" },
      "arn:aws:lambda:other is not a function",
    ],
    ["a function of AWS", { HostedRotationLambda: {} }, "Rotation.Properties.HostedRotationLambda is not supported"],
    ["a secret of another stack", { SecretId: "arn:aws:secret" }, "names arn:aws:secret, which is not a secret"],
  ])("a rotation with %s is an error", (_, properties, message) => {
    expect(() => read(GENERATED, rotation(properties))).toThrow(message);
  });
});
