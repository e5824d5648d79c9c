import { useState } from "preact/hooks";
import { CopyButton } from "./copy-button.tsx";
import { Dialog } from "./dialog.tsx";

type Props = {
  title: string;
  secrets: readonly { label: string; value: string }[];
  children?: preact.ComponentChildren;
  onClose: () => void;
};

/** Shows a secret that nobody can read again. It closes when the user says that the secret is kept. */
export function SecretOnce({ title, secrets, children, onClose }: Props) {
  const [isKept, setKept] = useState(false);
  return (
    <Dialog title={title} onClose={() => isKept && onClose()}>
      <div class="stack">
        <p class="note warn">This is shown once. Copy it now: nobody can read it again.</p>
        {secrets.map(({ label, value }) => (
          <div key={label} class="secret">
            <label>
              {label}
              <textarea readOnly rows={3} value={value} onFocus={({ currentTarget }) => currentTarget.select()} />
            </label>
            <CopyButton text={value} />
          </div>
        ))}
        {children}
        <label class="check">
          <input type="checkbox" checked={isKept} onChange={({ currentTarget }) => setKept(currentTarget.checked)} />I
          have kept it
        </label>
        <div class="buttons">
          <button type="button" class="primary" disabled={!isKept} onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}
