import type { DatabaseCredentials, DatabaseSecrets } from "../../functions/core/database-roles.ts";

/** One secret: its versions in the order in which they were made. */
type Version = { id: string; stages: Set<string>; value: DatabaseCredentials | undefined };

export type MemorySecrets = DatabaseSecrets & {
  /** Makes a secret with a current value. */
  create(secretArn: string, value: DatabaseCredentials, versionId?: string): void;
  /** Begins a rotation as Secrets Manager does: a pending version without a value. */
  startRotation(secretArn: string, versionId: string): void;
  /** The current value, as the Data API reads it. */
  current(secretArn: string): DatabaseCredentials | undefined;
};

/** Secrets in memory, with the contract of Secrets Manager. */
export function memorySecrets(): MemorySecrets {
  const secrets = new Map<string, Version[]>();
  const versionsOf = (secretArn: string): Version[] => secrets.get(secretArn) ?? [];
  const withStage = (secretArn: string, stage: string) => versionsOf(secretArn).find(({ stages }) => stages.has(stage));
  const withId = (secretArn: string, id: string) => versionsOf(secretArn).find((version) => version.id === id);
  /** A stage is on one version at a time. */
  const move = (secretArn: string, stage: string, to: Version) => {
    for (const { stages } of versionsOf(secretArn)) stages.delete(stage);
    to.stages.add(stage);
  };

  return {
    create(secretArn, value, id = "first") {
      secrets.set(secretArn, [{ id, stages: new Set(["AWSCURRENT"]), value }]);
    },
    startRotation(secretArn, id) {
      const version: Version = { id, stages: new Set(), value: undefined };
      secrets.set(secretArn, [...versionsOf(secretArn), version]);
      move(secretArn, "AWSPENDING", version);
    },
    current: (secretArn) => withStage(secretArn, "AWSCURRENT")?.value,
    read: async (secretArn, version) =>
      ("id" in version ? withId(secretArn, version.id) : withStage(secretArn, version.stage))?.value,
    stages: async (secretArn) =>
      new Map(
        versionsOf(secretArn)
          .filter(({ stages }) => stages.size > 0)
          .map(({ id, stages }) => [id, [...stages]]),
      ),
    async writePending(secretArn, id, value) {
      const known = withId(secretArn, id);
      const version = known ?? { id, stages: new Set<string>(), value: undefined };
      if (known === undefined) secrets.set(secretArn, [...versionsOf(secretArn), version]);
      if (version.value !== undefined) return;
      version.value = value;
      move(secretArn, "AWSPENDING", version);
    },
    async moveCurrent(secretArn, { from, to }) {
      const [before, after] = [withId(secretArn, from), withId(secretArn, to)];
      if (after === undefined || before?.stages.has("AWSCURRENT") !== true) throw new Error("no such version");
      move(secretArn, "AWSCURRENT", after);
      move(secretArn, "AWSPREVIOUS", before);
    },
  };
}
