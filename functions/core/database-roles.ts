import * as z from "zod/mini";
import type { ExecuteSql } from "./ports.ts";

/**
 * The roles of the database besides its owner, and their users. Each role has one secret, which names one of its two
 * users; a rotation gives the other user a new password and then lets the secret name that one.
 */

/** @see functions/sql/0001_events.sql, which makes the roles and the users */
export const DATABASE_USERS = {
  writer: ["sluice_writer_1", "sluice_writer_2"],
  reader: ["sluice_reader_1", "sluice_reader_2"],
} as const;

export type DatabaseRole = keyof typeof DATABASE_USERS;

/** The value of a role's secret, as the Data API reads it too. */
export const databaseCredentials = z.object({
  username: z.string().check(z.minLength(1)),
  password: z.string().check(z.minLength(1)),
});

export type DatabaseCredentials = z.output<typeof databaseCredentials>;

/** A version of a secret: the one that has a stage, or the one with an id. */
type SecretVersion = { stage: "AWSCURRENT" | "AWSPREVIOUS" } | { id: string };

/**
 * The secrets of the roles. Every call may throw a SecretError.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
 */
export type DatabaseSecrets = {
  /** The value of a version; undefined where there is no such version, or it has no value yet. */
  read(secretArn: string, version: SecretVersion): Promise<DatabaseCredentials | undefined>;
  /** The stages of each version that has one, by the version's id. */
  stages(secretArn: string): Promise<Map<string, string[]>>;
  /** Gives the version that is to come next its value. Changes nothing where it has one already. */
  writePending(secretArn: string, versionId: string, value: DatabaseCredentials): Promise<void>;
  /** Makes another version the current one. The version before becomes the previous one. */
  moveCurrent(secretArn: string, versions: { from: string; to: string }): Promise<void>;
};

/** A call about a secret that failed. Its message names the secret, and never has a value. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

/** Sets the password of a user of the database. It needs the rights of the database's owner. @throws DatabaseError */
export type SetPassword = (execute: ExecuteSql, credentials: DatabaseCredentials, deadline: number) => Promise<void>;
