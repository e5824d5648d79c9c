import type { AuditLog } from "../core/access.ts";
import { CODE_SECONDS, SESSION_SECONDS } from "../core/console-limits.ts";
import { RequestError } from "../core/errors.ts";
import { hashKey } from "../core/key.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { isToken, makeToken, type SessionStore } from "../core/session.ts";
import type { WorkCheck } from "../core/work-allowed.ts";

export type ConsoleDeps = {
  store: SessionStore;
  /** Tells whether the key of a code may still sign in. */
  whyEnded: WorkCheck;
  audit: Pick<AuditLog, "append">;
  /** The installation's secret, under which codes and sessions are hashed. @throws AccessError */
  secret: () => Promise<Uint8Array>;
  clock: Clock;
  randomBytes: (count: number) => Uint8Array;
};

type Caller = Principal & { requestId: string };

/** Signs people in to the operator's page: a key makes a code, a browser exchanges it for a session. Both are in the audit log. */
export function createConsole({ store, whyEnded, audit, secret, clock, randomBytes }: ConsoleDeps) {
  const record = (entry: { keyId: string; keyTenant: string; requestId: string }, action: string, details: object) =>
    audit.append({
      tenant: entry.keyTenant,
      at: clock().toISOString(),
      who: entry.keyId,
      action,
      target: entry.keyId,
      details: { ...details },
      requestId: entry.requestId,
    });
  const endIn = (seconds: number) => new Date(clock().getTime() + 1_000 * seconds).toISOString();

  return {
    /**
     * Makes a code, which signs in once within five minutes.
     * @throws RequestError `forbidden` for a session, which would otherwise prolong itself; AccessError
     */
    async makeCode(caller: Caller): Promise<{ code: string; expiresAt: string }> {
      if (caller.session !== undefined)
        throw new RequestError("forbidden", "A session makes no code. Make one with a key: npm run console.");
      const { keyId, keyTenant } = caller;
      const code = makeToken("code", randomBytes);
      const expiresAt = endIn(CODE_SECONDS);
      const hash = hashKey(await secret(), code);
      await record(caller, "console.code", { expiresAt });
      await store.createCode(hash, { keyId, keyTenant, expiresAt });
      return { code, expiresAt };
    },

    /** Exchanges a code for a session. @throws RequestError `bad_code`; AccessError */
    async signIn(code: string, requestId: string): Promise<{ session: string; expiresAt: string }> {
      if (!isToken("code", code)) throw badCode("The text is no code of Sluice.");
      const taken = await store.takeCode(hashKey(await secret(), code));
      if (taken === undefined || Date.parse(taken.expiresAt) <= clock().getTime())
        throw badCode("The code was used, is older than five minutes, or is from another installation.");
      const { keyId, keyTenant } = taken;
      const ended = await whyEnded({ tenant: keyTenant, keyId }, "console");
      if (ended !== undefined) throw badCode(ended.reason === "key_ended" ? KEY_ENDED : TENANT_ENDED);
      const session = makeToken("session", randomBytes);
      const expiresAt = endIn(SESSION_SECONDS);
      const hash = hashKey(await secret(), session);
      await record({ keyId, keyTenant, requestId }, "console.sign_in", { session: nameOf(hash), expiresAt });
      await store.createSession(hash, { keyId, expiresAt });
      return { session, expiresAt };
    },

    /** Ends the caller's session. @throws RequestError `no_session`; AccessError */
    async signOut(caller: Caller): Promise<void> {
      if (caller.session === undefined)
        throw new RequestError(
          "no_session",
          "The request has a key and no session, so there is nothing to sign out of.",
        );
      await record(caller, "console.sign_out", { session: nameOf(caller.session.hash) });
      await store.endSession(caller.session.hash);
    },
  };
}

export type Console = ReturnType<typeof createConsole>;

/** Names a session in the audit log, so that its beginning and its end are found together. */
const nameOf = (hash: string): string => hash.slice(0, 12);

const KEY_ENDED = "The key that made the code has ended.";
const TENANT_ENDED = "The tenant of the key that made the code is suspended.";

const badCode = (why: string) =>
  new RequestError("bad_code", `${why} Make another: npm run console prints a link with a new one.`);
