import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { DatabaseCredentials, DatabaseSecrets } from "../../../functions/core/database-roles.ts";

type Opened = {
  secrets: DatabaseSecrets;
  /** A secret whose current value is the given one. */
  secretArn: string;
  /** Begins a rotation: a pending version without a value. Returns its id. */
  startRotation: () => Promise<string>;
};

/** The contract of the secrets of the database's roles. */
export function describeDatabaseSecrets(name: string, open: (value: DatabaseCredentials) => Promise<Opened>): void {
  const first = { username: "sluice_reader_1", password: "first" };
  const second = { username: "sluice_reader_2", password: "second" };
  const versionWith = async ({ secrets, secretArn }: Opened, stage: string) =>
    [...(await secrets.stages(secretArn))].find(([, stages]) => stages.includes(stage))?.[0] ?? "";

  describe(`the secrets ${name}`, () => {
    it("give the current value, and none where there is no such secret, stage or version", async () => {
      const { secrets, secretArn } = await open(first);

      expect(await secrets.read(secretArn, { stage: "AWSCURRENT" })).toEqual(first);
      expect(await secrets.read(secretArn, { stage: "AWSPREVIOUS" })).toBeUndefined();
      expect(await secrets.read(secretArn, { id: randomUUID() })).toBeUndefined();
      expect(await secrets.read(`${secretArn}-none`, { stage: "AWSCURRENT" })).toBeUndefined();
    });

    it("have a pending version without a value when a rotation begins, and keep the first value it gets", async () => {
      const opened = await open(first);
      const { secrets, secretArn } = opened;

      const id = await opened.startRotation();
      expect(await versionWith(opened, "AWSPENDING")).toBe(id);
      expect(await secrets.read(secretArn, { id })).toBeUndefined();

      await secrets.writePending(secretArn, id, second);
      await secrets.writePending(secretArn, id, { ...second, password: "third" });

      expect(await secrets.read(secretArn, { id })).toEqual(second);
      expect(await secrets.read(secretArn, { stage: "AWSCURRENT" })).toEqual(first);
    });

    it("move the current stage to the new version and back, and name the version before the previous one", async () => {
      const opened = await open(first);
      const { secrets, secretArn } = opened;
      const from = await versionWith(opened, "AWSCURRENT");
      const to = await opened.startRotation();
      await secrets.writePending(secretArn, to, second);

      await secrets.moveCurrent(secretArn, { from, to });
      expect(await secrets.read(secretArn, { stage: "AWSCURRENT" })).toEqual(second);
      expect(await secrets.read(secretArn, { stage: "AWSPREVIOUS" })).toEqual(first);

      await secrets.moveCurrent(secretArn, { from: to, to: from });
      expect(await secrets.read(secretArn, { stage: "AWSCURRENT" })).toEqual(first);
      expect(await versionWith(opened, "AWSPREVIOUS")).toBe(to);
    });

    it("refuse to move the current stage from a version that does not have it", async () => {
      const opened = await open(first);
      const { secrets, secretArn } = opened;
      const to = await opened.startRotation();
      await secrets.writePending(secretArn, to, second);

      await expect(secrets.moveCurrent(secretArn, { from: to, to })).rejects.toThrow(/Secrets Manager|no such version/);
      expect(await secrets.read(secretArn, { stage: "AWSCURRENT" })).toEqual(first);
    });
  });
}
