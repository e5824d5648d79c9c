import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { toProblem } from "../../api/problem.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { count, plural } from "../../parts/format.ts";
import { Text } from "../../parts/text.tsx";
import { filterMember } from "../../parts/typed-json.ts";
import { useAction } from "../../parts/use-action.ts";
import { useOnce } from "../../parts/use-once.ts";
import type { RedeliveryJob, RedeliveryPlan } from "../../types.ts";
import { RedeliveryProgress } from "../jobs/redelivery-progress.tsx";

type Props = {
  path: string;
  id: string;
  codes: readonly number[];
  what: string;
  onClose: (hasStarted: boolean) => void;
};

/** Plans which failed deliveries are tried again, then starts it and shows its progress. */
export function RetryDialog({ path, id, codes, what, onClose }: Props) {
  const [draft, setDraft] = useState({ codes: codes.join(", "), filter: "", from: "", to: "", limit: "" });
  const [planned, setPlanned] = useState<{ draft: string; plan: RedeliveryPlan }>();
  const [job, setJob] = useState<RedeliveryJob>();
  const once = useOnce();
  const written = JSON.stringify(draft);
  const plan = planned?.draft === written ? planned.plan : undefined;
  const body = () => ({
    ...(draft.codes.trim() === ""
      ? {}
      : {
          codes: draft.codes
            .split(/[\s,]+/)
            .filter(Boolean)
            .map(Number),
        }),
    ...filterMember(draft.filter),
    ...(draft.from === "" ? {} : { from: new Date(draft.from).toISOString() }),
    ...(draft.to === "" ? {} : { to: new Date(draft.to).toISOString() }),
    ...(draft.limit === "" ? {} : { limit: Number(draft.limit) }),
  });
  const ask = useAction(async () => {
    const { body: answer } = await call<RedeliveryPlan>("POST", `${path}/retry`, { body: { ...body(), dryRun: true } });
    setPlanned({ draft: written, plan: answer });
  });
  const start = useAction(async () => {
    if (plan === undefined) return;
    const wanted = { ...body(), to: plan.until, planned: plan.planned };
    try {
      setJob((await call<RedeliveryJob>("POST", `${path}/retry`, { body: wanted, headers: once(wanted) })).body);
    } catch (error) {
      // It is counted again before anything starts.
      if (toProblem(error).code === "plan_changed") setPlanned(undefined);
      throw error;
    }
  });
  const input = (name: keyof typeof draft, label: string, more: object = {}) => (
    <label>
      {label}
      <input
        name={name}
        value={draft[name]}
        onInput={({ currentTarget: { value } }) => setDraft({ ...draft, [name]: value })}
        {...more}
      />
    </label>
  );
  if (job !== undefined) {
    return (
      <Dialog title="Redelivery" onClose={() => onClose(true)}>
        <RedeliveryProgress subscriptionId={id} id={job.id} />
      </Dialog>
    );
  }
  const problem = start.problem ?? ask.problem;
  return (
    <FormDialog
      title={`Retry ${what}`}
      verb={plan === undefined ? "Count" : `Retry ${count(plan.planned)}`}
      isDisabled={ask.isRunning || start.isRunning || plan?.planned === 0}
      problem={problem}
      result={
        plan !== undefined && (
          <div class="note" role="status">
            <b>{plural(plan.planned, "failed delivery", "failed deliveries")}</b>. Nothing has started yet.
            <ul class="senders scroll" tabIndex={0} aria-label="Some of them">
              {plan.sample.map(({ id: delivery, eventId, eventType, code }) => (
                <li key={delivery}>
                  <Text value={eventId} max={80} /> <span class="quiet">{eventType}</span> {code}
                </li>
              ))}
            </ul>
          </div>
        )
      }
      onSubmit={plan === undefined ? ask.run : start.run}
      onClose={() => onClose(false)}
    >
      <p>They become pending again under the same ids, and their schedule begins again.</p>
      {input("codes", "HTTP statuses, with commas; any where it is empty", {
        autofocus: true,
        pattern: "[0-9,\\s]*",
      })}
      <details>
        <summary>Narrower: events, time, number</summary>
        <div class="stack inner">
          <label>
            Filter of the events, as JSON; all where it is empty
            <textarea
              name="filter"
              rows={2}
              spellcheck={false}
              placeholder='{"exact": {"type": "com.example.order.placed"}}'
              value={draft.filter}
              onInput={({ currentTarget: { value } }) => setDraft({ ...draft, filter: value })}
            />
          </label>
          <div class="grid">
            {input("from", "Last tried from", { type: "datetime-local" })}
            {input("to", "Last tried before", { type: "datetime-local" })}
            {input("limit", "At most", { type: "number", min: 1 })}
          </div>
        </div>
      </details>
    </FormDialog>
  );
}
