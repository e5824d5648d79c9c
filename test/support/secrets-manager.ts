import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { GeneratedText, SecretModel } from "../../localstack/template/model.ts";
import { LOCAL_AWS } from "./local-aws.ts";

/** Secrets Manager's own rules of a generated text. */
export const GENERATED: GeneratedText = {
  length: 32,
  excluded: "",
  lowercase: true,
  uppercase: true,
  numbers: true,
  punctuation: true,
  space: false,
  everyKind: true,
  inside: undefined,
};

/** A secret as the template would describe it. */
export function secretModel(changes: Partial<SecretModel> = {}): SecretModel {
  const name = changes.name ?? "writer";
  return {
    logicalId: name,
    name,
    arn: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}-a1b2c3`,
    description: undefined,
    value: { kind: "generated", ...GENERATED },
    rotation: undefined,
    ...changes,
  };
}

/** Repeats no call, so that a test sees every failure. */
export function secretsManagerClient(endpoint: string): SecretsManagerClient {
  return new SecretsManagerClient({ ...LOCAL_AWS, endpoint, maxAttempts: 1 });
}
