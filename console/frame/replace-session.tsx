import { useAction } from "../parts/use-action.ts";
import { keepSession, type Session, signIn } from "../session.ts";
import { Logo } from "./sign-in.tsx";

/** Asks what a link to sign in is to do while a session is in use. */
export function ReplaceSession({ session: { keyId, keyTenant, role }, code }: { session: Session; code: string }) {
  const replace = useAction(() => signIn(code));
  return (
    <main class="sign-in">
      <h1>
        <Logo /> Sluice
      </h1>
      <p class="note warn" role="status">
        You are signed in already, with the key <code>{keyId}</code> of {keyTenant === "*" ? "all tenants" : keyTenant}{" "}
        ({role}). The link signs in with the key that made it. Use it only where you or somebody you trust has made it.
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={keepSession}>
          Stay signed in
        </button>
        <button type="button" disabled={replace.isRunning} onClick={replace.run}>
          Sign in with the link
        </button>
      </div>
    </main>
  );
}
