import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Role, ROLES, type Scope, scopesOf } from "../../functions/core/scopes.ts";
import type { Problem } from "../api/problem.ts";
import { session } from "../session.ts";

/** The place of content that is not there yet. */
export function Loading({ what = "Loading", lines = 4 }: { what?: string; lines?: number }) {
  return (
    <div class="state loading" role="status">
      <span class="visually-hidden">{what}…</span>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} class="skeleton" aria-hidden="true" />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failed({ problem, onRetry }: { problem: Problem; onRetry?: (() => void) | undefined }) {
  return (
    <div class="state failed" role="alert">
      <h2>{problem.title}</h2>
      <p>{problem.message}</p>
      <p class="quiet">
        <code>{problem.code}</code>
        {problem.status > 0 && <> · status {problem.status}</>}
        {problem.requestId !== undefined && (
          <>
            {" "}
            · request <code>{problem.requestId}</code>
          </>
        )}
      </p>
      {onRetry !== undefined && <Retry seconds={problem.retryAfterSeconds ?? 0} onRetry={onRetry} />}
    </div>
  );
}

/** Waits as long as the API asked for. */
function Retry({ seconds, onRetry }: { seconds: number; onRetry: () => void }) {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1_000);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <button type="button" disabled={left > 0} onClick={onRetry}>
      {left > 0 ? `Try again in ${left} s` : "Try again"}
    </button>
  );
}

export function Forbidden({ scope }: { scope: Scope }) {
  const roles = ROLES.filter((role: Role) => scopesOf({ role, tenant: "*" }).includes(scope));
  return (
    <div class="state forbidden">
      <h2>This needs the scope {scope}</h2>
      <p>
        Keys with the role {roles.join(" or ")} have it; you are signed in with the role {session.value?.role}. Sign in
        with a code of such a key: <code>npm run console</code>
      </p>
    </div>
  );
}

/** For a screen of one tenant, where a key of the installation has chosen none. */
export function ChooseTenant() {
  return (
    <div class="state empty">
      <h2>Choose a tenant</h2>
      <p>
        This screen shows the data of one tenant. Your key belongs to the installation: choose one beside the name of
        the stage.
      </p>
    </div>
  );
}
