import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { useAction } from "../../parts/use-action.ts";

type Props = { path: string; onDone: () => void; onClose: () => void };

/** Moves a subscription to another place in the feed. */
export function Seek({ path, onDone, onClose }: Props) {
  const [to, setTo] = useState<"time" | "now">("time");
  const [at, setAt] = useState("");
  const seek = useAction(async () => {
    await call("POST", `${path}/seek`, { body: { from: to === "now" ? "now" : new Date(at).toISOString() } });
    onDone();
  });
  return (
    <FormDialog
      title="Go on from another place"
      verb="Go on from there"
      isDisabled={seek.isRunning}
      problem={seek.problem}
      onSubmit={seek.run}
      onClose={onClose}
    >
      <p>
        Events behind that place are delivered again, under other ids: a receiver that has seen them gets them a second
        time. Those before it that are not delivered yet are left out. What is pending stays.
      </p>
      <label>
        Place
        <select value={to} onChange={({ currentTarget }) => setTo(currentTarget.value === "now" ? "now" : "time")}>
          <option value="time">events received from a time on</option>
          <option value="now">events stored from now on</option>
        </select>
      </label>
      {to === "time" && (
        <label>
          Received from
          <input
            type="datetime-local"
            step="1"
            required
            value={at}
            onInput={({ currentTarget }) => setAt(currentTarget.value)}
          />
        </label>
      )}
    </FormDialog>
  );
}
