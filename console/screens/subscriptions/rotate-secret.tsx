import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { useAction } from "../../parts/use-action.ts";
import type { MadeSubscription } from "../../types.ts";

type Props = { path: string; onRotated: (rotated: MadeSubscription) => void; onClose: () => void };

/** Makes a new secret; the old one signs beside it for a while. */
export function RotateSecret({ path, onRotated, onClose }: Props) {
  const [hours, setHours] = useState("24");
  const rotate = useAction(async () => {
    const body = { overlapHours: Number(hours) };
    onRotated((await call<MadeSubscription>("POST", `${path}/rotate`, { body })).body);
  });
  return (
    <FormDialog
      title="Rotate the secret"
      verb="Rotate"
      isDisabled={rotate.isRunning}
      problem={rotate.problem}
      onSubmit={rotate.run}
      onClose={onClose}
    >
      <p>
        A new secret signs from now on. The old one signs beside it, so that receivers change theirs at their own pace.
      </p>
      <label>
        Hours for which the old one signs too; 0 ends it now
        <input
          type="number"
          name="overlapHours"
          required
          min={0}
          max={168}
          autofocus
          value={hours}
          onInput={({ currentTarget }) => setHours(currentTarget.value)}
        />
      </label>
    </FormDialog>
  );
}
