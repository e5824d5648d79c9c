import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { ConfirmCount } from "../../parts/confirm-count.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { count, plural } from "../../parts/format.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useOnce } from "../../parts/use-once.ts";
import { useReturnFocus } from "../../parts/use-opened.ts";
import { useLoad } from "../../parts/use-load.ts";
import type { ReplayJob, ReplayPlan } from "../../types.ts";
import { ReplayProgress } from "../jobs/replay-progress.tsx";
import { Sample } from "./sample.tsx";
import { type Chosen, type Options, planBody, startBody } from "./selection.ts";

type Props = {
  action: "replay" | "discard";
  chosen: Chosen;
  /** As `12 chosen dead letters`. */
  what: string;
  /** Called with whether a job has started. */
  onClose: (hasStarted: boolean) => void;
};

const PATHS = { replay: "replays", discard: "dead-letters/discard" } as const;
const TITLES = { replay: "Replay", discard: "Discard" } as const;

/** A dry run says which dead letters a job takes; then it starts, and its progress is shown. */
export function JobDialog({ action, chosen, what, onClose }: Props) {
  useReturnFocus();
  const [job, setJob] = useState<ReplayJob>();
  const [rate, setRate] = useState("");
  const [note, setNote] = useState("");
  const once = useOnce();
  const title = `${TITLES[action]} ${what}`;
  const options = (text: string): Options =>
    action === "discard" ? { note: text } : { rate: rate === "" ? undefined : Number(rate) };
  const {
    data: plan,
    problem,
    reload,
  } = useLoad("plan", async (signal) => {
    // A discard is planned before anybody has said why.
    const body = planBody(chosen, options("plan"));
    return (await call<ReplayPlan>("POST", PATHS[action], { body, signal })).body;
  });
  const start = useAction(async () => {
    if (plan === undefined) return;
    const body = startBody(chosen, options(note), plan);
    setJob((await call<ReplayJob>("POST", PATHS[action], { body, headers: once(body) })).body);
  });
  const planAgain = () => {
    start.forget();
    reload();
  };

  if (job !== undefined) {
    return (
      <Dialog title={title} onClose={() => onClose(true)}>
        <ReplayProgress id={job.id} />
      </Dialog>
    );
  }
  const failed = start.problem ?? problem;
  // It may have begun, so it is sent again as it was. One that was refused is planned again.
  const isStartLost = start.problem !== undefined && (start.problem.status === 0 || start.problem.status >= 500);
  if (failed !== undefined || plan === undefined || plan.planned === 0) {
    return (
      <Dialog title={title} onClose={() => onClose(false)}>
        {failed !== undefined ? (
          <Failed problem={failed} onRetry={isStartLost ? start.run : planAgain} />
        ) : plan === undefined ? (
          <Loading what="Counting dead letters" />
        ) : (
          <p>
            No open dead letter would be taken. Those that were replayed five times need correcting first: open one and
            edit it.
          </p>
        )}
      </Dialog>
    );
  }
  const { planned } = plan;
  if (action === "discard") {
    return (
      <ConfirmCount
        title={title}
        count={planned}
        verb={start.isRunning ? "Discarding" : "Discard"}
        onConfirm={start.run}
        onCancel={() => onClose(false)}
      >
        <p>
          {plural(planned, "event")} will be given up for good. They stay readable, and are never stored or replayed
          after that.
        </p>
        <Sample plan={plan} />
        <label>
          Why? The audit log keeps it
          <textarea
            name="note"
            required
            maxLength={500}
            rows={2}
            value={note}
            onInput={({ currentTarget }) => setNote(currentTarget.value)}
          />
        </label>
      </ConfirmCount>
    );
  }
  return (
    <Dialog title={title} onClose={() => onClose(false)}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          start.run();
        }}
      >
        <p>
          <b>{plural(planned, "event")}</b> will be sent to the queue again, where the same checks run as the first
          time. Nothing has started yet. Those that were replayed five times are left out: correct them first.
        </p>
        <Sample plan={plan} />
        <label>
          Events a second, on average; as fast as possible where it is empty
          <input
            type="number"
            name="rate"
            min={1}
            max={10_000}
            value={rate}
            onInput={({ currentTarget }) => setRate(currentTarget.value)}
          />
        </label>
        <div class="buttons">
          <button type="button" onClick={() => onClose(false)}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={start.isRunning}>
            {start.isRunning ? "Starting…" : `Replay ${count(planned)}`}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
