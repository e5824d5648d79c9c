import { invalidRequest, notFound } from "./errors.ts";
import type { Operation, RequestOf } from "./parse-request.ts";
import type { Rotations } from "./rotations.ts";
import type { Secret } from "./secrets.ts";
import {
  beginVersion,
  CURRENT,
  PENDING,
  putVersion,
  selectVersion,
  updateStage,
  type Version,
  withId,
  withStage,
} from "./versions.ts";

export type Operations = { [O in Operation]: (request: RequestOf<O>) => Promise<Record<string, unknown>> };

type Deps = {
  secrets: Secret[];
  rotations: Rotations;
  /** Seconds since 1970. */
  now: () => number;
};

/** The operations of the protocol: from a request to the members of the response. Each may throw a SecretsManagerError. */
export function createOperations({ secrets, rotations, now }: Deps): Operations {
  /** A name with a part of the suffix, which AWS accepts as well, is not found here. */
  const find = (id: string): Secret => {
    const secret = secrets.find(({ arn, name }) => id === arn || id === name);
    if (secret === undefined) throw notFound("Secrets Manager can't find the specified secret.");
    return secret;
  };
  const changeVersions = async (secret: Secret, next: (versions: readonly Version[]) => Version[]) => {
    const { versions } = await secret.change((kept) => {
      const after = next(kept.versions);
      const isSame = JSON.stringify(after) === JSON.stringify(kept.versions);
      return isSame ? kept : { ...kept, versions: after, changedAt: now() };
    });
    return versions;
  };

  return {
    GetSecretValue: async ({ SecretId, VersionId, VersionStage }) => {
      const secret = find(SecretId);
      const version = selectVersion(secret.kept.versions, { id: VersionId, stage: VersionStage });
      return {
        ...namesOf(secret),
        VersionId: version.id,
        SecretString: version.text,
        VersionStages: version.stages,
        CreatedDate: version.createdAt,
      };
    },

    DescribeSecret: async ({ SecretId }) => {
      const secret = find(SecretId);
      const { createdAt, changedAt, rotatedAt, versions } = secret.kept;
      const labelled = versions.filter(({ stages }) => stages.length > 0);
      return {
        ...namesOf(secret),
        Description: secret.description,
        OwningService: secret.owner,
        CreatedDate: createdAt,
        LastChangedDate: changedAt,
        LastRotatedDate: rotatedAt,
        RotationEnabled: secret.rotatedBy === undefined ? undefined : true,
        RotationLambdaARN: secret.rotatedBy,
        VersionIdsToStages: Object.fromEntries(labelled.map(({ id, stages }) => [id, stages])),
      };
    },

    PutSecretValue: async ({ SecretId, ClientRequestToken: id, SecretString: text, VersionStages = [CURRENT] }) => {
      const secret = find(SecretId);
      const { arn } = secret;
      const put = { id, text, stages: VersionStages, arn };
      const versions = await changeVersions(secret, (before) => putVersion(before, { ...put, now: now() }));
      return { ...namesOf(secret), VersionId: id, VersionStages: withId(versions, id)?.stages };
    },

    UpdateSecretVersionStage: async ({ SecretId, VersionStage: stage, RemoveFromVersionId, MoveToVersionId }) => {
      const secret = find(SecretId);
      await changeVersions(secret, (before) =>
        updateStage(before, { stage, from: RemoveFromVersionId, to: MoveToVersionId }),
      );
      return namesOf(secret);
    },

    /** Answers when the rotation has begun, as AWS does. A repeated request with the same token begins no second one. */
    RotateSecret: async ({ SecretId, ClientRequestToken: token }) => {
      const secret = find(SecretId);
      const { rotatedBy } = secret;
      if (rotatedBy === undefined) throw invalidRequest(NO_ROTATION);
      const versions = await changeVersions(secret, (before) => {
        const isBusy = withId(before, token) !== undefined || unfinishedIn(before) !== undefined;
        return isBusy ? [...before] : beginVersion(before, token, now());
      });
      const unfinished = unfinishedIn(versions);
      if (unfinished !== undefined) rotations.start(secret, rotatedBy, unfinished);
      if (unfinished !== undefined && unfinished !== token) {
        throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");
      }
      return { ...namesOf(secret), VersionId: token };
    },
  };
}

const namesOf = ({ arn, name }: Secret) => ({ ARN: arn, Name: name });

/** The version of a rotation that has begun and not ended. */
function unfinishedIn(versions: readonly Version[]): string | undefined {
  const pending = withStage(versions, PENDING);
  return pending?.stages.includes(CURRENT) ? undefined : pending?.id;
}

const NO_ROTATION =
  "You tried to enable rotation on a secret that doesn't already have a Lambda function ARN configured and you didn't include such an ARN as a parameter in this call.";
