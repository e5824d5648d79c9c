import { invalidParameter, invalidRequest, notFound, SecretsManagerError } from "./errors.ts";

/**
 * The versions of a secret and their staging labels. A function here gives the versions after a call, or throws the error
 * that Secrets Manager answers; none of them changes what it gets.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
 */
export type Version = {
  id: string;
  /** Undefined for a version that a rotation has begun and not yet filled. */
  text?: string | undefined;
  /** Seconds since 1970. */
  createdAt: number;
  stages: string[];
};

export const CURRENT = "AWSCURRENT";
export const PREVIOUS = "AWSPREVIOUS";
export const PENDING = "AWSPENDING";

/** Versions without a label are deprecated, and the oldest of them go when there are more than this. */
const MOST_VERSIONS = 100;

export const withStage = (versions: readonly Version[], stage: string): Version | undefined =>
  versions.find(({ stages }) => stages.includes(stage));

export const withId = (versions: readonly Version[], id: string): Version | undefined =>
  versions.find((version) => version.id === id);

/** The version that `GetSecretValue` answers. */
export function selectVersion(
  versions: readonly Version[],
  { id, stage }: { id?: string | undefined; stage?: string | undefined },
): Version & { text: string } {
  const version = id === undefined ? withStage(versions, stage ?? CURRENT) : withId(versions, id);
  const { text } = version ?? {};
  if (version === undefined || text === undefined) {
    const what = id === undefined ? `staging label: ${stage ?? CURRENT}` : `VersionId: ${id}`;
    throw notFound(`Secrets Manager can't find the specified secret value for ${what}`);
  }
  if (id !== undefined && stage !== undefined && !version.stages.includes(stage)) {
    throw invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.");
  }
  return { ...version, text };
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html */
export function putVersion(
  versions: readonly Version[],
  put: { id: string; text: string; stages: readonly string[]; now: number; arn: string },
): Version[] {
  const existing = withId(versions, put.id);
  if (existing?.text === put.text) return [...versions];
  if (existing?.text !== undefined) {
    throw new SecretsManagerError(
      "ResourceExistsException",
      `You can't use ClientRequestToken ${put.id} because that value is already in use for a version of secret ${put.arn}.`,
    );
  }
  const filled: Version = { id: put.id, createdAt: put.now, stages: [], ...existing, text: put.text };
  const others = versions.filter(({ id }) => id !== put.id);
  return prune(put.stages.reduce((moved, stage) => moveStage(moved, stage, put.id), [...others, filled]));
}

/** Begins a rotation: a version without a value, which the rotation function fills. */
export function beginVersion(versions: readonly Version[], id: string, now: number): Version[] {
  return prune(moveStage([...versions, { id, createdAt: now, stages: [] }], PENDING, id));
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html */
export function updateStage(
  versions: readonly Version[],
  { stage, from, to }: { stage: string; from?: string | undefined; to?: string | undefined },
): Version[] {
  const holder = withStage(versions, stage);
  if (from === undefined && to === undefined) {
    throw invalidParameter("Name the version that gets the label, the version that loses it, or both.");
  }
  for (const id of [from, to]) {
    if (id !== undefined && withId(versions, id) === undefined) {
      throw notFound(`Secrets Manager can't find the specified secret version: ${id}.`);
    }
  }
  if (from !== undefined && holder?.id !== from) {
    throw invalidParameter(`Staging label ${stage} is not attached to version ${from}.`);
  }
  if (holder !== undefined && from === undefined && holder.id !== to) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (to === undefined && stage === CURRENT) {
    throw invalidParameter(
      `You can only move staging label ${CURRENT} to a different secret version. It can’t be completely removed.`,
    );
  }
  if (stage === CURRENT && to !== undefined && withId(versions, to)?.text === undefined) {
    throw invalidRequest(`Version ${to} has no value, so it cannot be the current one.`);
  }
  return moveStage(versions, stage, to);
}

/** Moves a label to a version, or from all of them. The version that stops being the current one becomes the previous one. */
function moveStage(versions: readonly Version[], stage: string, to: string | undefined): Version[] {
  const before = withStage(versions, stage);
  if (before?.id === to) return [...versions];
  const moved = versions.map((version) => {
    const stages = version.stages.filter((each) => each !== stage);
    return { ...version, stages: version.id === to ? [...stages, stage] : stages };
  });
  return stage === CURRENT && before !== undefined ? moveStage(moved, PREVIOUS, before.id) : moved;
}

function prune(versions: readonly Version[]): Version[] {
  const surplus = versions.length - MOST_VERSIONS;
  if (surplus <= 0) return [...versions];
  const oldest = new Set(
    versions
      .filter(({ stages }) => stages.length === 0)
      .slice(0, surplus)
      .map(({ id }) => id),
  );
  return versions.filter(({ id }) => !oldest.has(id));
}
