import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import type { DatabaseCredentials, SetPassword } from "../../core/database-roles.ts";

/** As PostgreSQL's own, which `set_role_password` takes and no other. */
const ITERATIONS = 4_096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Documented in functions/sql/0001_events.sql. */
const setRolePassword = "select set_role_password(:user_name, :verifier)";

/** Sets a password as its verifier, from which a reader of the database's log cannot learn it. */
export const setPassword: SetPassword = async (execute, { username, password }: DatabaseCredentials, deadline) => {
  const verifier = scramVerifier(password, randomBytes(SALT_BYTES));
  await execute(setRolePassword, { user_name: username, verifier }, deadline);
};

/**
 * The SCRAM-SHA-256 verifier of a password, in the form that PostgreSQL keeps.
 * @throws RangeError for a password that is not printable ASCII, which SASLprep would change (RFC 4013)
 * @see https://www.rfc-editor.org/rfc/rfc5803 (the form), https://www.rfc-editor.org/rfc/rfc5802#section-3 (the keys),
 * https://www.postgresql.org/docs/17/catalog-pg-authid.html
 */
export function scramVerifier(password: string, salt: Buffer): string {
  if (!/^[ -~]+$/.test(password)) throw new RangeError("A password of the database must be printable ASCII.");
  const salted = pbkdf2Sync(password, salt, ITERATIONS, KEY_BYTES, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const serverKey = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
