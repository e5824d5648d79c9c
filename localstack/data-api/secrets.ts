import { connectionSettings } from "../postgres/connection-settings.ts";
import { DataApiError } from "./errors.ts";

/** The current value of a database user's secret. */
export type Credentials = { username: string; password: string };

/** Reads the current value of a secret, at each call; undefined for a secret that is not known. */
export type ReadSecret = (secretArn: string) => Promise<Credentials | undefined>;

/**
 * The error class of a wrong secret follows the descriptions in the service's model.
 * @throws DataApiError SecretsErrorException, also where the secret cannot be read
 */
export async function credentialsOf(readSecret: ReadSecret, secretArn: string): Promise<Credentials> {
  const credentials = await readSecret(secretArn).catch(() => undefined);
  if (credentials !== undefined) return credentials;
  throw new DataApiError("SecretsErrorException", "Secrets Manager can't find the specified secret.");
}

/** One secret, whose value is the login of a `postgres://` URL: that of the database's owner. */
export function secretOfUrl(secretArn: string, databaseUrl: string): ReadSecret {
  const { user = "", password } = connectionSettings(databaseUrl);
  return async (asked) => (asked === secretArn ? { username: user, password: String(password) } : undefined);
}
