import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { Failed } from "../../parts/states.tsx";
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
    <Dialog title="Rotate the key" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          rotate.run();
        }}
      >
        <p>A new key of the same settings takes its place. Both work until the old one ends.</p>
        <label>
          The old key ends after, such as 1h or 7d; at once where it is empty
          <input name="grace" autofocus value={grace} onInput={({ currentTarget }) => setGrace(currentTarget.value)} />
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
