import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useAction } from "../parts/use-action.ts";
import { link, route } from "../route.ts";
import { screens } from "../screens.ts";
import { access, session, signOut } from "../session.ts";
import { setTheme, theme, THEMES } from "./theme.ts";

/** Whether the navigation is shown where there is no room for it beside the content. */
export const menuIsOpen = signal(false);

/** The screens in their groups. One that the session may not use is there, and says so. */
export function Navigation() {
  const groups = Map.groupBy(screens, ({ group }) => group);
  const { screen } = route.value;
  useEffect(() => {
    menuIsOpen.value = false;
  }, [screen]);
  return (
    <nav
      id="navigation"
      class={menuIsOpen.value ? "open" : ""}
      aria-label="Screens"
      onKeyDown={({ key }) => {
        if (key === "Escape") menuIsOpen.value = false;
      }}
    >
      {[...groups].map(([group, members]) => (
        <section key={group}>
          <h2 id={`group-${group}`}>{group}</h2>
          <ul aria-labelledby={`group-${group}`}>
            {members.map(({ name, title, scope }) => (
              <li key={name}>
                <a href={link(name)} aria-current={name === screen ? "page" : undefined}>
                  {title}
                  {access(scope) === "forbidden" && <Locked scope={scope} />}
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
      <Account />
    </nav>
  );
}

/** The key of the session, the theme, and the way out. */
function Account() {
  const who = session.value;
  const leaving = useAction(signOut);
  return (
    <section class="account" aria-label="Session">
      <p>
        <span class="clip mono" title={who?.keyId}>
          {who?.keyId}
        </span>
        <span class="badge">{who?.role}</span>
      </p>
      <div class="buttons">
        <label>
          <span class="visually-hidden">Theme</span>
          <select
            class="small"
            value={theme.value}
            onChange={(event) => setTheme(THEMES[event.currentTarget.selectedIndex] ?? "system")}
          >
            <option value="system">System theme</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
        <button type="button" class="small" disabled={leaving.isRunning} onClick={leaving.run}>
          Sign out
        </button>
      </div>
      {leaving.problem !== undefined && (
        <p class="bad" role="alert">
          You are still signed in. {leaving.problem.message}
        </p>
      )}
    </section>
  );
}

function Locked({ scope }: { scope: string }) {
  return (
    <span class="locked" title={`Needs the scope ${scope}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M4 7h8v6H4zM5.500 7V5a2.500 2.500 0 0 1 5 0v2" />
      </svg>
      <span class="visually-hidden">, needs the scope {scope}</span>
    </span>
  );
}
