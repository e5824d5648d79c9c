import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { plural } from "../../parts/format.ts";
import { filterMember } from "../../parts/typed-json.ts";
import { useAction } from "../../parts/use-action.ts";
import { useOnce } from "../../parts/use-once.ts";
import { navigate } from "../../route.ts";
import type { ExportJob, ExportPlan } from "../../types.ts";

/** Starts an export of a filter and a range of time, after its plan. */
export function NewExport({ onClose }: { onClose: () => void }) {
  const [draft, setDraft] = useState({ filter: "", from: "", to: "", format: "ndjson" });
  const [planned, setPlanned] = useState<{ draft: string; plan: ExportPlan }>();
  const once = useOnce();
  const written = JSON.stringify(draft);
  const plan = planned?.draft === written ? planned.plan : undefined;
  const body = () => ({
    ...filterMember(draft.filter),
    ...(draft.from === "" ? {} : { from: new Date(draft.from).toISOString() }),
    ...(draft.to === "" ? {} : { to: new Date(draft.to).toISOString() }),
    format: draft.format,
  });
  const ask = useAction(async () => {
    const { body: answer } = await call<ExportPlan>("POST", "exports", { body: { ...body(), plan: true } });
    setPlanned({ draft: written, plan: answer });
  });
  const start = useAction(async () => {
    const wanted = body();
    const { body: job } = await call<ExportJob>("POST", "exports", { body: wanted, headers: once(wanted) });
    navigate("jobs", {}, { path: ["exports", job.id] });
  });
  const input = (name: "from" | "to", label: string) => (
    <label>
      {label}
      <input
        type="datetime-local"
        name={name}
        value={draft[name]}
        onInput={({ currentTarget: { value } }) => setDraft({ ...draft, [name]: value })}
      />
    </label>
  );
  const problem = start.problem ?? ask.problem;
  return (
    <FormDialog
      title="New export"
      verb={plan === undefined ? "Count" : "Export"}
      isDisabled={ask.isRunning || start.isRunning}
      problem={problem}
      result={
        plan !== undefined && (
          <p class="note" role="status">
            {RELATIONS[plan.relation]} {plural(plan.rows, "event")}. Nothing has started yet.
          </p>
        )
      }
      onSubmit={plan === undefined ? ask.run : start.run}
      onClose={onClose}
    >
      <div class="grid">
        {input("from", "Received from; everything where it is empty")}
        {input("to", "Received before")}
      </div>
      <label>
        Filter, as JSON; every event where it is empty
        <textarea
          name="filter"
          rows={3}
          spellcheck={false}
          placeholder='{"prefix": {"type": "com.example."}}'
          value={draft.filter}
          onInput={({ currentTarget: { value } }) => setDraft({ ...draft, filter: value })}
        />
      </label>
      <label>
        Format
        <select value={draft.format} onChange={({ currentTarget: { value } }) => setDraft({ ...draft, format: value })}>
          <option value="ndjson">NDJSON, an event a line</option>
          <option value="csv">CSV</option>
        </select>
      </label>
    </FormDialog>
  );
}

const RELATIONS = { exact: "It has", gte: "It has at least", estimate: "It has about" } as const;
