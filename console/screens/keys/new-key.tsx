import { useState } from "preact/hooks";
import { scopesOf } from "../../../functions/core/scopes.ts";
import { call } from "../../api/client.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { useAction } from "../../parts/use-action.ts";
import { isOfInstallation, session, tenant } from "../../session.ts";
import type { MadeKey } from "../../types.ts";
import { type KeyDraft, keyBody, rolesToGive } from "./roles.ts";

type Props = { onMade: (key: MadeKey) => void; onClose: () => void };

/** Makes a key, with no more rights than the caller's own. */
export function NewKey({ onMade, onClose }: Props) {
  const roles = rolesToGive(session.value?.scopes ?? []);
  const [draft, setDraft] = useState<KeyDraft>({
    tenant: isOfInstallation.value ? (tenant.value ?? "") : "",
    role: roles[0] ?? "reader",
    name: "",
    expires: "90d",
    types: "",
    sources: "",
    eventsPerSecond: "",
    requestsPerSecond: "",
    eventsPerDay: "",
  });
  const make = useAction(async () => {
    // The body names the tenant, which may be new; the header would need one that exists.
    const header = draft.tenant === "" ? {} : { tenant: null };
    onMade((await call<MadeKey>("POST", "keys", { body: keyBody(draft), ...header })).body);
  });
  const field = (name: Exclude<keyof KeyDraft, "role">, label: string, more: object = {}) => (
    <label>
      {label}
      <input
        name={name}
        autocomplete="off"
        spellcheck={false}
        value={draft[name]}
        onInput={({ currentTarget: { value } }) => setDraft({ ...draft, [name]: value })}
        {...more}
      />
    </label>
  );
  return (
    <FormDialog
      title="New key"
      verb="Make the key"
      isDisabled={make.isRunning}
      problem={make.problem}
      onSubmit={make.run}
      onClose={onClose}
    >
      {isOfInstallation.value &&
        field("tenant", "Tenant, which may be new; * for the installation", { required: true })}
      {field("name", "Name, for people", { placeholder: "checkout, production", autofocus: true })}
      <label>
        Role
        <select
          value={draft.role}
          onChange={({ currentTarget: { selectedIndex } }) =>
            setDraft({ ...draft, role: roles[selectedIndex] ?? draft.role })
          }
        >
          {roles.map((role) => (
            <option key={role} value={role}>
              {role}: {scopesOf({ role, tenant: "any" }).join(", ")}
            </option>
          ))}
        </select>
      </label>
      {field("expires", "Ends after, such as 12h or 90d; never where it is empty")}
      <details>
        <summary>Narrower: types, sources, limits</summary>
        <div class="stack inner">
          {field("types", "Types, with commas: com.example.order.placed, com.example.*")}
          {field("sources", "Sources, with commas: /shop/*")}
          <div class="grid">
            {field("eventsPerSecond", "Events a second", { inputMode: "numeric", pattern: "[0-9]*" })}
            {field("requestsPerSecond", "Requests a second", { inputMode: "numeric", pattern: "[0-9]*" })}
            {field("eventsPerDay", "Events a day", { inputMode: "numeric", pattern: "[0-9]*" })}
          </div>
        </div>
      </details>
    </FormDialog>
  );
}
