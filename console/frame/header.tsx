import { isOfInstallation, session, tenant } from "../session.ts";
import { Logo } from "./sign-in.tsx";
import { menuIsOpen } from "./navigation.tsx";
import { TenantChoice } from "./tenant-choice.tsx";

/** The place that the page shows: the stage, and the tenant. */
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
    </header>
  );
}
