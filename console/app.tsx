import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary, useRef } from "preact/hooks";
import { toProblem } from "./api/problem.ts";
import { sleepsIdle } from "./frame/awake.ts";
import { Header } from "./frame/header.tsx";
import { Navigation } from "./frame/navigation.tsx";
import { ReplaceSession } from "./frame/replace-session.tsx";
import { SignIn } from "./frame/sign-in.tsx";
import { CurlLine } from "./parts/curl-line.tsx";
import { ChooseTenant, Failed, Forbidden, Loading } from "./parts/states.tsx";
import { navigate, route } from "./route.ts";
import { type Screen, screens } from "./screens.ts";
import { access, loadSession, sessionState, takeCode, tenant } from "./session.ts";

/** The page: who is signed in decides between the sign-in and the frame with its screen. */
export function App() {
  const hasEntered = useRef(false);
  const wantsIn = route.value.screen === "sign-in";
  useEffect(() => {
    if (!wantsIn && hasEntered.current) return;
    hasEntered.current = true;
    void enter();
  }, [wantsIn]);
  const state = sessionState.value;
  switch (state.state) {
    case "loading":
      return (
        <main class="sign-in">
          <Loading what="Signing in" />
        </main>
      );
    case "signed-out":
      return <SignIn {...state} />;
    case "failed":
      return (
        <main class="sign-in">
          <Failed problem={state.problem} onRetry={() => void loadSession()} />
        </main>
      );
    case "offered":
      return <ReplaceSession {...state} />;
    case "signed-in":
      return <Frame />;
  }
}

/** Signs in with the code of the address, also in a tab that is open. It works once, so it does not stay in the history. */
async function enter(): Promise<void> {
  const { screen, params } = route.value;
  const code = screen === "sign-in" ? params.get("code") : null;
  if (screen === "sign-in") navigate("", {}, { replace: true });
  await (code === null ? loadSession() : takeCode(code));
}

function Frame() {
  const screen = screens.find(({ name }) => name === route.value.screen);
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const [first] = screens;

  useEffect(() => {
    if (route.value.screen === "" && first !== undefined) navigate(first.name, route.value.params, { replace: true });
  }, [route.value.screen, first]);

  useEffect(() => {
    document.title = `${screen?.title ?? "Sluice"} · Sluice`;
    if (!isFirst.current) main.current?.focus();
    main.current?.scrollTo(0, 0);
    isFirst.current = false;
  }, [screen]);

  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <Header />
      <Navigation />
      <main id="main" ref={main} tabIndex={-1}>
        {sleepsIdle.value && (
          <p class="note" role="status">
            Nothing is refreshed: the page was not used for ten minutes. Press a key or click to go on.
          </p>
        )}
        {screen === undefined ? <NoScreen /> : <Shown key={`${screen.name} ${tenant.value}`} screen={screen} />}
      </main>
      <CurlLine />
    </div>
  );
}

/** A screen, or why it cannot be shown. A fault of a screen leaves the frame as it is. */
function Shown({ screen }: { screen: Screen }) {
  const [error, reset] = useErrorBoundary();
  if (error !== undefined) return <Failed problem={toProblem(error)} onRetry={reset} />;
  const may = access(screen.scope);
  if (may === "allowed") {
    const View: ComponentType = screen.view;
    return <View />;
  }
  return (
    <>
      <header class="head">
        <h1>{screen.title}</h1>
      </header>
      {may === "forbidden" ? <Forbidden scope={screen.scope} /> : <ChooseTenant />}
    </>
  );
}

function NoScreen() {
  if (route.value.screen === "") return null;
  return (
    <div class="state empty">
      <h1>There is no such screen</h1>
      <p>Choose one in the navigation.</p>
    </div>
  );
}
