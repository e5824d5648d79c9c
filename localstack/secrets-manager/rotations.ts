import { explainFailure, type InvokeResult } from "../lambda/invoke.ts";
import { messageOf } from "../message-of.ts";
import type { Secret } from "./secrets.ts";
import { CURRENT, withStage } from "./versions.ts";

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html */
const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;

export type Rotations = {
  /** Runs the steps for a version, unless they run for that secret already. */
  start(secret: Secret, functionArn: string, token: string): void;
  /** Begins no further step; resolves when none runs any more. */
  stop(): Promise<void>;
};

/**
 * Calls the rotation functions of secrets, one step after the other. A step that fails ends the rotation: the log names it,
 * and the version keeps AWSPENDING, until the next `RotateSecret` tries it again.
 */
export function createRotations({ invoke, now, newId, log }: RotationDeps): Rotations {
  const running = new Map<string, Promise<void>>();
  let stopping = false;

  const rotate = async (secret: Secret, functionArn: string, token: string): Promise<void> => {
    const { name, arn } = secret;
    const rotationToken = newId();
    const failed = (step: string, why: string) => log(`The rotation of the secret ${name} failed in ${step}: ${why}`);
    for (const step of STEPS) {
      if (stopping) return failed(step, "the runtime stops");
      const event = { Step: step, SecretId: arn, ClientRequestToken: token, RotationToken: rotationToken };
      try {
        const result = await invoke(functionArn, JSON.stringify(event));
        if (result.kind !== "success") return failed(step, explainFailure(result));
      } catch (error) {
        return failed(step, messageOf(error));
      }
    }
    const rotated = await secret.change((kept) =>
      withStage(kept.versions, CURRENT)?.id === token ? { ...kept, rotatedAt: now() } : kept,
    );
    if (withStage(rotated.versions, CURRENT)?.id !== token) {
      return failed("finishSecret", `version ${token} did not get ${CURRENT}`);
    }
    log(`The secret ${name} was rotated`);
  };

  return {
    start(secret, functionArn, token) {
      const { name, arn } = secret;
      if (running.has(arn)) return;
      const rotation = rotate(secret, functionArn, token)
        .catch((error: unknown) => log(`The rotation of the secret ${name} failed: ${messageOf(error)}`))
        .finally(() => running.delete(arn));
      running.set(arn, rotation);
    },
    async stop() {
      stopping = true;
      await Promise.all(running.values());
    },
  };
}

export type RotationDeps = {
  /** Invokes a function of the stack by its ARN. */
  invoke: (functionArn: string, payload: string) => Promise<InvokeResult>;
  /** Seconds since 1970. */
  now: () => number;
  newId: () => string;
  log: (line: string) => void;
};
