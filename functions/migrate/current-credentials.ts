import type { DatabaseCredentials, DatabaseRole, DatabaseSecrets } from "../core/database-roles.ts";

/** Reads the current values of the secrets of all roles. @throws SecretError that names the secret */
export function createCurrentCredentials(deps: {
  secrets: Pick<DatabaseSecrets, "read">;
  secretArns: Record<DatabaseRole, string>;
}): () => Promise<DatabaseCredentials[]> {
  return () =>
    Promise.all(
      Object.values(deps.secretArns).map(async (secretArn) => {
        const value = await deps.secrets.read(secretArn, { stage: "AWSCURRENT" });
        if (value !== undefined) return value;
        throw new Error(
          `The secret ${secretArn} has no current value. Restore its previous version, and run it again.`,
        );
      }),
    );
}
