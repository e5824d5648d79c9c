import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { link, route } from "../route.ts";
import { screens } from "../screens.ts";
import { access, session } from "../session.ts";

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
      <p class="who">
        {session.value?.role}
        <span class="clip" title={session.value?.keyId}>
          {session.value?.keyId}
        </span>
      </p>
    </nav>
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
