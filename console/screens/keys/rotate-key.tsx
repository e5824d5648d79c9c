import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { useAction } from "../../parts/use-action.ts";
import type { MadeKey } from "../../types.ts";

type Props = { path: string; onMade: (key: MadeKey) => void; onClose: () => void };

/** Makes a key of the same settings in the place of another, which ends at once or after a while. */
export function RotateKey({ path, onMade, onClose }: Props) {
  const [grace, setGrace] = useState("1h");
  const rotate = useAction(async () => {
    const body = grace.trim() === "" ? {} : { grace: grace.trim() };
    onMade((await call<MadeKey>("POST", `${path}/rotate`, { body })).body);
  });
  return (
    <FormDialog
      title="Rotate the key"
      verb="Rotate"
      isDisabled={rotate.isRunning}
      problem={rotate.problem}
      onSubmit={rotate.run}
      onClose={onClose}
    >
      <p>A new key of the same settings takes its place. Both work until the old one ends.</p>
      <label>
        The old key ends after, such as 1h or 7d; at once where it is empty
        <input name="grace" autofocus value={grace} onInput={({ currentTarget }) => setGrace(currentTarget.value)} />
      </label>
    </FormDialog>
  );
}
