import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { plural } from "../../parts/format.ts";
import { SecretOnce } from "../../parts/secret-once.tsx";
import { Failed } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { link, navigate } from "../../route.ts";
import type { MadeSubscription } from "../../types.ts";
import { FilterTest } from "./filter-test.tsx";
import { secretsOf } from "./secrets-of.ts";
import { SinkFields } from "./sink-fields.tsx";
import { filterFault, subscriptionBody, type SubscriptionDraft } from "./subscription-body.ts";

const EMPTY: SubscriptionDraft = {
  name: "",
  filter: "",
  sinkType: "webhook",
  place: "",
  format: "structured",
  from: "",
  order: "none",
  schedule: "standard",
  batch: "",
  rate: "",
  timeoutMs: "",
};

/** Subscribes to events, with a test of the filter beside it. */
export function NewSubscription() {
  const [draft, setDraft] = useState(EMPTY);
  const [made, setMade] = useState<MadeSubscription>();
  const set = (changes: Partial<SubscriptionDraft>) => setDraft({ ...draft, ...changes });
  const make = useAction(async () => {
    setMade((await call<MadeSubscription>("POST", "subscriptions", { body: subscriptionBody(draft) })).body);
  });
  const fault = filterFault(draft.filter);
  const open = (id: string) => navigate("subscriptions", {}, { path: [id] });
  return (
    <>
      <header class="head">
        <h1>
          <a href={link("subscriptions")}>Subscriptions</a> <span class="quiet">/</span> New
        </h1>
      </header>
      <div class="beside">
        <form
          class="card stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (fault === undefined) make.run();
          }}
        >
          <label>
            Name, for people
            <input
              name="name"
              required
              maxLength={100}
              value={draft.name}
              onInput={({ currentTarget: { value } }) => set({ name: value })}
            />
          </label>
          <SinkFields draft={draft} set={set} />
          <label>
            Filter, as JSON; every event where it is empty
            <textarea
              name="filter"
              rows={6}
              spellcheck={false}
              placeholder={
                '{"all": [{"prefix": {"type": "com.example."}}, {"data": {"total": [{"numeric": [">=", 100]}]}}]}'
              }
              value={draft.filter}
              aria-invalid={fault !== undefined}
              aria-describedby="filter-fault"
              onInput={({ currentTarget: { value } }) => set({ filter: value })}
            />
          </label>
          <p id="filter-fault" class="bad">
            {fault}
          </p>
          <More draft={draft} set={set} />
          {make.problem !== undefined && <Failed problem={make.problem} />}
          <div class="buttons">
            <button type="submit" class="primary" disabled={make.isRunning || fault !== undefined}>
              {make.isRunning ? "Checking the sink…" : "Subscribe"}
            </button>
          </div>
        </form>
        <FilterTest filter={fault === undefined ? draft.filter : undefined} />
      </div>
      {made !== undefined && <Made made={made} onClose={() => open(made.id)} />}
    </>
  );
}

type FieldsProps = { draft: SubscriptionDraft; set: (changes: Partial<SubscriptionDraft>) => void };

function More({ draft, set }: FieldsProps) {
  const number = (name: "batch" | "rate" | "timeoutMs", label: string, min: number, max: number) => (
    <label>
      {label}
      <input
        type="number"
        name={name}
        min={min}
        max={max}
        value={draft[name]}
        onInput={({ currentTarget: { value } }) => set({ [name]: value })}
      />
    </label>
  );
  return (
    <details>
      <summary>Where it begins, order, schedule, rate</summary>
      <div class="stack inner">
        <label>
          Events received from; those stored from now on where it is empty
          <input
            type="datetime-local"
            step="1"
            value={draft.from}
            onInput={({ currentTarget: { value } }) => set({ from: value })}
          />
        </label>
        <label>
          Order
          <select
            value={draft.order}
            onChange={({ currentTarget: { value } }) => set({ order: value === "subject" ? "subject" : "none" })}
          >
            <option value="none">none: as fast as possible</option>
            <option value="subject">events of a subject one after another</option>
          </select>
        </label>
        <label>
          Schedule
          <select
            value={draft.schedule}
            onChange={({ currentTarget: { value } }) =>
              set({ schedule: value === "doubling" ? "doubling" : "standard" })
            }
          >
            <option value="standard">standard: 10 tries in 75 h</option>
            <option value="doubling">doubling: twice the wait each time</option>
          </select>
        </label>
        <div class="grid">
          {number("batch", "Events of a request, at most", 1, 100)}
          {number("rate", "Events a second", 1, 10_000)}
          {number("timeoutMs", "Timeout in milliseconds", 1_000, 30_000)}
        </div>
      </div>
    </details>
  );
}

function Made({ made, onClose }: { made: MadeSubscription; onClose: () => void }) {
  const { matches, warning } = made;
  const secrets = secretsOf(made);
  const found = (
    <p>
      {matches.complete ? "" : "At least "}
      {plural(matches.count, "event")} of the last day would have matched.
      {warning !== undefined && <span class="warn"> {warning}</span>}
    </p>
  );
  return (
    <SecretOnce title="It delivers from now on" secrets={secrets} onClose={onClose}>
      {found}
    </SecretOnce>
  );
}
