import { SecretOnce } from "../../parts/secret-once.tsx";
import type { MadeKey } from "../../types.ts";

/** A new key, which is shown once. */
export function ShownKey({ made, onClose }: { made: MadeKey; onClose: () => void }) {
  const { key, role, tenant, expiresAt } = made;
  return (
    <SecretOnce title="The new key" secrets={[{ label: "Key", value: key }]} onClose={onClose}>
      <p class="quiet">
        A key with the role {role} of {tenant === "*" ? "the installation" : `the tenant ${tenant}`}
        {expiresAt === undefined ? ", which does not expire" : `, until ${expiresAt}`}. It is sent as{" "}
        <code>Authorization: Bearer KEY</code>.
      </p>
    </SecretOnce>
  );
}
