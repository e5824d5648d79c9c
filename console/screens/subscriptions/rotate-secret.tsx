import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { Failed } from "../../parts/states.tsx";
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
    <Dialog title="Rotate the secret" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          rotate.run();
        }}
      >
        <p>
          A new secret signs from now on. The old one signs beside it, so that receivers change theirs at their own
          pace.
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
        {rotate.problem !== undefined && <Failed problem={rotate.problem} />}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={rotate.isRunning}>
            Rotate
          </button>
        </div>
      </form>
    </Dialog>
  );
}
