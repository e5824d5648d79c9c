import { computed, signal } from "@preact/signals";
import { INSTALLATION, mayConcernInstallation, type Role, type Scope } from "../functions/core/scopes.ts";
import { call, calls, onSignedOut } from "./api/client.ts";
import { toProblem, type Problem } from "./api/problem.ts";
import { route, TENANT_PARAMETER } from "./route.ts";

/** The answer to `GET /console/session`. */
export type Session = {
  keyId: string;
  /** `*` for a key of the installation. */
  keyTenant: string;
  tenant?: string;
  role: Role;
  scopes: readonly Scope[];
  types?: readonly string[];
  sources?: readonly string[];
  expiresAt: string;
  stage: string;
  version: string;
  build: string;
};

type SessionState =
  | { state: "loading" }
  | { state: "signed-out"; problem?: Problem; wasSignedIn?: boolean }
  | { state: "failed"; problem: Problem }
  | { state: "signed-in"; session: Session }
  /** A link to sign in was opened while a session is in use. */
  | { state: "offered"; session: Session; code: string };

export const sessionState = signal<SessionState>({ state: "loading" });

/** The session; undefined while nobody is signed in. */
export const session = computed(() =>
  sessionState.value.state === "signed-in" ? sessionState.value.session : undefined,
);

/** The tenant whose data the page shows; undefined where a key of the installation has chosen none. */
export const tenant = computed(() => {
  const key = session.value?.keyTenant;
  return key === INSTALLATION ? (route.value.params.get(TENANT_PARAMETER) ?? undefined) : key;
});

export const isOfInstallation = computed(() => session.value?.keyTenant === INSTALLATION);

/** Tells what the session may do with a scope: use it, not use it, or only for a tenant that it has yet to choose. */
export function access(scope: Scope): "allowed" | "forbidden" | "choose-tenant" {
  if (session.value?.scopes.includes(scope) !== true) return "forbidden";
  return tenant.value !== undefined || mayConcernInstallation(scope) ? "allowed" : "choose-tenant";
}

export function can(scope: Scope): boolean {
  return access(scope) === "allowed";
}

/** Asks who is signed in. */
export async function loadSession(): Promise<void> {
  onSignedOut.current = signedOut;
  try {
    const { body } = await call<Session>("GET", "console/session", { record: false, tenant: null });
    sessionState.value = { state: "signed-in", session: body };
    remember(true);
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status !== 401) sessionState.value = { state: "failed", problem };
  }
}

/**
 * Takes the code of a link. Where a session is in use, whoever uses it decides first: a link of somebody else would otherwise put its
 * tenant in the place of theirs, unseen.
 */
export async function takeCode(code: string): Promise<void> {
  if (session.value === undefined && mayBeSignedIn()) await loadSession();
  const inUse = session.value;
  if (inUse === undefined) return signIn(code);
  sessionState.value = { state: "offered", session: inUse, code };
}

/** Goes on with the session in use. */
export function keepSession(): void {
  const now = sessionState.value;
  if (now.state === "offered") sessionState.value = { state: "signed-in", session: now.session };
}

/** Signs in with a code, which works once. */
export async function signIn(code: string): Promise<void> {
  try {
    await call("POST", "console/sessions", { body: { code }, record: false, tenant: null });
    await loadSession();
  } catch (error) {
    sessionState.value = { state: "signed-out", problem: toProblem(error) };
  }
}

/** Ends the session. @throws Problem: then it goes on */
export async function signOut(): Promise<void> {
  await call("DELETE", "console/session", { record: false, tenant: null });
  forget({ state: "signed-out" });
}

function signedOut(): void {
  if (sessionState.value.state === "signed-out") return remember(false);
  forget({ state: "signed-out", wasSignedIn: sessionState.value.state === "signed-in" });
}

const KEY = "sluice-signed-in";

/** Whether this browser has had a session that nobody has ended; it says nothing of whose it is. */
function mayBeSignedIn(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

function remember(isSignedIn: boolean): void {
  try {
    if (isSignedIn) localStorage.setItem(KEY, "1");
    else localStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing signs in with each link.
  }
}

/** Leaves the next user of the tab nothing of this one's requests. */
function forget(state: SessionState): void {
  calls.value = [];
  remember(false);
  sessionState.value = state;
}
