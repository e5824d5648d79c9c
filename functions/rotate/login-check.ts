import type { DatabaseRole } from "../core/database-roles.ts";
import type { SqlDatabase } from "../core/ports.ts";

export type LoginCheckDeps = {
  /** The database with the owner's secret. */
  owner: SqlDatabase;
  /** The database with the secret of each role. */
  logins: Record<DatabaseRole, SqlDatabase>;
  wait: (milliseconds: number) => Promise<unknown>;
};

/**
 * The Data API reads the current value of a secret, and AWS does not say for how long it keeps one. It is asked this often
 * for the user of the new value.
 */
const ATTEMPTS = 10;
const ATTEMPT_EVERY_MS = 2_000;

const mayLogInAs = `
  select rolcanlogin and pg_has_role(oid, cast(:parent as name), 'usage') from pg_roles where rolname = cast(:user as name)`;

/** Two checks of a user of the database: before its value is current, and after. */
export function createLoginCheck({ owner, logins, wait }: LoginCheckDeps) {
  return {
    /**
     * The user exists, may log in and has the rights of its role. The password itself cannot be tried before its value is
     * the current one.
     * @throws Error otherwise; DatabaseError
     */
    async mayLogIn(role: DatabaseRole, user: string, deadline: number): Promise<void> {
      const { rows } = await owner.execute(mayLogInAs, { user, parent: `sluice_${role}` }, deadline);
      if (rows[0]?.[0] === true) return;
      throw new Error(`The database has no user ${user} with the rights of sluice_${role}. Run the migrations.`);
    },
    /**
     * The Data API logs in with the current value. Returns false if it used the value before all the time.
     * @throws DatabaseError when the login fails, and when the database does not answer
     */
    async logsIn(role: DatabaseRole, user: string, deadline: number): Promise<boolean> {
      for (let attempt = 1; ; attempt += 1) {
        const { rows } = await logins[role].execute("select cast(current_user as text)", {}, deadline);
        if (rows[0]?.[0] === user) return true;
        if (attempt === ATTEMPTS) return false;
        await wait(ATTEMPT_EVERY_MS);
      }
    },
  };
}
