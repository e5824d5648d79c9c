import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { SecretModel } from "../template/model.ts";
import { invalidRequest } from "./errors.ts";
import { generateText } from "./generate-text.ts";
import { type KeptSecret, readSecretFile, writeSecretFile } from "./secret-file.ts";
import { CURRENT, putVersion } from "./versions.ts";

export type Secret = {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  /** The service of AWS that made it and alone changes it, for example `rds`. */
  readonly owner: string | undefined;
  /** The ARN of the function that rotates it. */
  readonly rotatedBy: string | undefined;
  /** As it is on disk. */
  readonly kept: KeptSecret;
  /** Replaces it, one change after the other, and resolves once the new one is on disk. An error of `next` changes nothing. */
  change(next: (kept: KeptSecret) => KeptSecret): Promise<KeptSecret>;
};

/** A secret whose value another part of the runtime has, for example that of the cluster's master user. */
export type ManagedSecret = { arn: string; owner: string; text: string };

export type SecretsOptions = {
  /** Folder of the values, created if missing, readable for this user only. */
  folder: string;
  /** Seconds since 1970. */
  now: () => number;
  newId: () => string;
  log: (line: string) => void;
};

/**
 * Opens the secrets of the template. A new one gets its value here, once for the folder; another value follows only a change
 * of its rules in the template, as in CloudFormation.
 */
export async function openSecrets(models: SecretModel[], options: SecretsOptions): Promise<Secret[]> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  return Promise.all(models.map((model) => openSecret(model, options)));
}

async function openSecret(model: SecretModel, options: SecretsOptions): Promise<Secret> {
  const { folder, log } = options;
  const { name, arn, description, rotation } = model;
  const found = await readSecretFile(folder, name);
  let kept = found;
  if (found !== undefined && found.madeBy !== rulesOf(model)) {
    kept = { ...withNewValue(model, options, found.versions), createdAt: found.createdAt };
    log(`The secret ${name} has a new value, because its rules in the template have changed, as on AWS.`);
  }
  kept ??= withNewValue(model, options, []);
  if (kept !== found) await writeSecretFile(folder, name, kept);

  let current = kept;
  let last: Promise<void> = Promise.resolve();
  return {
    name,
    arn,
    description,
    owner: undefined,
    rotatedBy: rotation?.functionArn,
    get kept() {
      return current;
    },
    async change(next) {
      const before = last;
      const over = Promise.withResolvers<void>();
      last = over.promise;
      await before;
      try {
        const after = next(current);
        if (after !== current) await writeSecretFile(folder, name, after);
        current = after;
        return after;
      } finally {
        over.resolve();
      }
    },
  };
}

/** The same with a new current version. */
function withNewValue(model: SecretModel, { now, newId }: SecretsOptions, before: KeptSecret["versions"]): KeptSecret {
  const time = now();
  const text = model.value.kind === "given" ? model.value.text : generateText(model.value);
  const versions = putVersion(before, { id: newId(), text, stages: [CURRENT], now: time, arn: model.arn });
  return { madeBy: rulesOf(model), createdAt: time, changedAt: time, versions };
}

const rulesOf = ({ value }: SecretModel): string => JSON.stringify(value);

export function managedSecret({ arn, owner, text }: ManagedSecret, now: number): Secret {
  const id = createHash("sha256").update(arn).digest("hex").slice(0, VERSION_ID_LENGTH);
  return {
    name: nameOf(arn),
    arn,
    description: undefined,
    owner,
    rotatedBy: undefined,
    kept: {
      madeBy: owner,
      createdAt: now,
      changedAt: now,
      versions: [{ id, text, createdAt: now, stages: [CURRENT] }],
    },
    change: () => Promise.reject(invalidRequest(`The secret is managed by ${owner}, which alone changes it.`)),
  };
}

/** `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX`, with a suffix of six characters. */
const nameOf = (arn: string): string => /:secret:(.+)-[^-]{6}$/.exec(arn)?.[1] ?? arn;

const VERSION_ID_LENGTH = 32;
