import * as z from "zod/mini";
import {
  DATABASE_USERS,
  type DatabaseCredentials,
  type DatabaseRole,
  type DatabaseSecrets,
  type SetPassword,
} from "../core/database-roles.ts";
import { createLoginCheck, type LoginCheckDeps } from "./login-check.ts";

/** The steps of a rotation, in the order in which Secrets Manager asks for them. */
export const ROTATION_STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;

/** @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html */
const rotationEvent = z.object({
  SecretId: z.string(),
  /** The id of the version that the rotation makes. */
  ClientRequestToken: z.string(),
  Step: z.enum(ROTATION_STEPS),
});

export type RotateResult = {
  step: (typeof ROTATION_STEPS)[number];
  /** The user that the step was about; undefined where it had nothing to do with the database. */
  databaseUser?: string;
  /** False if the Data API still used the value before at the end of the last step. */
  loginSeen?: boolean;
};

export type RotateDeps = LoginCheckDeps & {
  secrets: DatabaseSecrets;
  secretArns: Record<DatabaseRole, string>;
  setPassword: SetPassword;
  /** A new random password, in printable ASCII. */
  newPassword: () => string;
};

/**
 * One step of the rotation of a role's secret. The role has two users: the rotation gives the one that is not current a
 * new password, and then makes it the current one, so both the current and the previous value are right all the time.
 * Each step may be repeated, also after a run that ended half-way.
 */
export function createRotate(deps: RotateDeps) {
  const { secrets, secretArns, owner, setPassword } = deps;
  const checkLogin = createLoginCheck(deps);

  /**
   * @throws Error that says why nothing was rotated: another secret or version than those of a rotation, or a login that
   * failed, after which the version before is current again; SecretError; DatabaseError
   */
  return async function rotate(event: unknown, deadline: number): Promise<RotateResult> {
    const { SecretId: secretArn, ClientRequestToken: token, Step: step } = parse(event);
    const role = roleOf(secretArn, secretArns);
    const stages = await secrets.stages(secretArn);
    const isCurrent = stages.get(token)?.includes("AWSCURRENT") ?? false;
    if (!isCurrent && !stages.get(token)?.includes("AWSPENDING")) {
      throw new Error(`${secretArn} has no version ${token} that waits for a rotation. Start one: docs/runbook.md.`);
    }
    const current = await secrets.read(secretArn, { stage: "AWSCURRENT" });
    if (current === undefined) throw new Error(`${secretArn} has no current value. docs/runbook.md says what to do.`);
    const pending = await secrets.read(secretArn, { id: token });

    switch (step) {
      case "createSecret":
        if (pending === undefined) {
          const value = { username: otherUser(role, current.username), password: deps.newPassword() };
          await secrets.writePending(secretArn, token, value);
        }
        return { step };
      case "setSecret": {
        if (isCurrent) return { step };
        const next = nextOf(role, current, pending, secretArn);
        await setPassword(owner.execute, next, deadline);
        return { step, databaseUser: next.username };
      }
      case "testSecret": {
        // Secrets Manager runs this step alone when a rotation is configured, with a version of no value or the current one.
        const { username } = pending ?? current;
        await checkLogin.mayLogIn(role, username, deadline);
        if (username === current.username) await checkLogin.logsIn(role, username, deadline);
        return { step, databaseUser: username };
      }
      case "finishSecret": {
        // The next rotation is under way: the value before is no longer one to go back to.
        if (isCurrent && (versionWith(stages, "AWSPENDING") ?? token) !== token) return { step };
        const before = versionWith(stages, isCurrent ? "AWSPREVIOUS" : "AWSCURRENT");
        const { username } = isCurrent ? current : nextOf(role, current, pending, secretArn);
        if (!isCurrent && before !== undefined) await secrets.moveCurrent(secretArn, { from: before, to: token });
        try {
          return { step, databaseUser: username, loginSeen: await checkLogin.logsIn(role, username, deadline) };
        } catch (error) {
          if (before !== undefined) await secrets.moveCurrent(secretArn, { from: token, to: before });
          throw error;
        }
      }
    }
  };
}

function parse(event: unknown): z.output<typeof rotationEvent> {
  const parsed = rotationEvent.safeParse(event);
  if (parsed.success) return parsed.data;
  throw new Error("The event is none of a rotation. Rotate a secret with `aws secretsmanager rotate-secret`.");
}

function roleOf(secretArn: string, secretArns: Record<DatabaseRole, string>): DatabaseRole {
  if (secretArn === secretArns.writer) return "writer";
  if (secretArn === secretArns.reader) return "reader";
  throw new Error(`${secretArn} is no secret of the database's writer or reader, so nothing was rotated.`);
}

function otherUser(role: DatabaseRole, username: string): string {
  const [first, second] = DATABASE_USERS[role];
  if (username === first) return second;
  if (username === second) return first;
  throw new Error(
    `The current value is for ${username}, which is no user of the ${role}. docs/runbook.md says what to do.`,
  );
}

/** The value that a rotation makes current. It never is one of the user that is in use. */
function nextOf(
  role: DatabaseRole,
  current: DatabaseCredentials,
  pending: DatabaseCredentials | undefined,
  secretArn: string,
): DatabaseCredentials {
  if (pending?.username === otherUser(role, current.username)) return pending;
  throw new Error(`The pending value of ${secretArn} is not one for ${otherUser(role, current.username)}.`);
}

function versionWith(stages: Map<string, string[]>, stage: string): string | undefined {
  return [...stages].find(([, labels]) => labels.includes(stage))?.[0];
}
