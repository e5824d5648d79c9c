import { isOfInstallation, session, signOut, tenant } from "../session.ts";
import { Logo } from "./sign-in.tsx";
import { menuIsOpen } from "./navigation.tsx";
import { TenantChoice } from "./tenant-choice.tsx";
import { setTheme, theme, THEMES } from "./theme.ts";

/** The stage, the tenant, the theme and the way out. */
export function Header() {
  const who = session.value;
  return (
    <header class="top">
      <button
        type="button"
        class="menu"
        aria-expanded={menuIsOpen.value}
        aria-controls="navigation"
        onClick={() => {
          menuIsOpen.value = !menuIsOpen.value;
        }}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M2 4h12M2 8h12M2 12h12" />
        </svg>
        <span class="visually-hidden">Navigation</span>
      </button>
      <span class="brand">
        <Logo />
        <b>Sluice</b>
      </span>
      <span class="stage" title={`Version ${who?.version}, build ${who?.build}`}>
        {who?.stage}
      </span>
      {isOfInstallation.value ? <TenantChoice /> : <span class="tenant">{tenant.value}</span>}
      <span class="grow" />
      <label class="theme">
        <span class="visually-hidden">Theme</span>
        <select
          value={theme.value}
          onChange={(event) => setTheme(THEMES[event.currentTarget.selectedIndex] ?? "system")}
        >
          <option value="system">System</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      <button type="button" class="plain" title={`Key ${who?.keyId}, ${who?.role}`} onClick={() => void signOut()}>
        Sign out
      </button>
    </header>
  );
}
