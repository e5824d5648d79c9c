import { useState } from "preact/hooks";
import type { Problem } from "../api/problem.ts";
import { useAction } from "../parts/use-action.ts";
import { signIn } from "../session.ts";

type Props = { problem?: Problem | undefined; wasSignedIn?: boolean | undefined };

/** The way in: a code that a command prints, in a link or pasted here. */
export function SignIn({ problem, wasSignedIn = false }: Props) {
  const [text, setText] = useState("");
  const enter = useAction(signIn);
  const code = codeOf(text);
  return (
    <main class="sign-in">
      <h1>
        <Logo /> Sluice
      </h1>
      {wasSignedIn && (
        <p class="note" role="status">
          Your session is over. Sign in to go on where you were.
        </p>
      )}
      {problem !== undefined && (
        <p class="note bad" role="alert">
          {problem.message}
        </p>
      )}
      <p>
        Run <code>npm run console</code> where the key of the API is, and open the link that it prints.{" "}
        <code>npm start</code> prints one too. A link works once, for five minutes.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (code !== "") enter.run(code);
        }}
      >
        <label>
          The link, or its code
          <input
            name="code"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={code === "" || enter.isRunning}>
          {enter.isRunning ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}

/** The code in a pasted text, which may be the whole link. */
export function codeOf(text: string): string {
  const trimmed = text.trim();
  return /[?&]code=([^&\s]+)/.exec(trimmed)?.[1] ?? trimmed;
}

/** A gate over a stream. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M5 3v12M19 3v12M5 6h14M8 6v6h8V6" />
      <path class="stream" d="M2 18c2.5 0 2.5 2 5 2s2.5-2 5-2 2.5 2 5 2 2.500-2 5-2" />
    </svg>
  );
}
