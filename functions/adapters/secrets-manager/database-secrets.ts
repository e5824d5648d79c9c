import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { databaseCredentials, type DatabaseSecrets, SecretError } from "../../core/database-roles.ts";

const CALL_MS = 5_000;

/** The secrets of the database's roles in AWS Secrets Manager. */
export function createDatabaseSecrets(): DatabaseSecrets {
  const client = new SecretsManagerClient({
    requestHandler: { requestTimeout: CALL_MS, throwOnRequestTimeout: true, connectionTimeout: 3_000 },
  });

  return {
    async read(secretArn, version) {
      const which = "id" in version ? { VersionId: version.id } : { VersionStage: version.stage };
      const call = client.send(new GetSecretValueCommand({ SecretId: secretArn, ...which }));
      const found = await call.catch((error: unknown) => unless("ResourceNotFoundException", "read", secretArn, error));
      return found && parse(found.SecretString, secretArn);
    },
    async stages(secretArn) {
      const call = client.send(new DescribeSecretCommand({ SecretId: secretArn }));
      const found = await call.catch((error: unknown) => raise("describe", secretArn, error));
      return new Map(Object.entries(found.VersionIdsToStages ?? {}));
    },
    async writePending(secretArn, versionId, value) {
      const command = new PutSecretValueCommand({
        SecretId: secretArn,
        ClientRequestToken: versionId,
        SecretString: JSON.stringify(value),
        VersionStages: ["AWSPENDING"],
      });
      // A version keeps its value: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
      await client
        .send(command)
        .catch((error: unknown) => unless("ResourceExistsException", "write", secretArn, error));
    },
    async moveCurrent(secretArn, { from, to }) {
      const command = new UpdateSecretVersionStageCommand({
        SecretId: secretArn,
        VersionStage: "AWSCURRENT",
        RemoveFromVersionId: from,
        MoveToVersionId: to,
      });
      await client.send(command).catch((error: unknown) => raise("change the current version of", secretArn, error));
    },
  };
}

function parse(text: string | undefined, secretArn: string) {
  const parsed = databaseCredentials.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new SecretError(`The secret ${secretArn} has no username and password. Restore its previous version.`);
}

function jsonOf(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unless(accepted: string, verb: string, secretArn: string, error: unknown): undefined {
  if ((error as Error).name === accepted) return undefined;
  return raise(verb, secretArn, error);
}

/** Without the error itself as its cause: the message of one about a value may quote it. */
function raise(verb: string, secretArn: string, error: unknown): never {
  throw new SecretError(`Secrets Manager did not ${verb} ${secretArn}: ${(error as Error).name}.`);
}
