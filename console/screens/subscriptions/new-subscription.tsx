import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { plural } from "../../parts/format.ts";
import { SecretOnce } from "../../parts/secret-once.tsx";
import { Failed } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useOpened } from "../../parts/use-opened.ts";
import { link, navigate } from "../../route.ts";
import type { MadeSubscription } from "../../types.ts";
import { FilterTest } from "./filter-test.tsx";
import { MoreFields } from "./more-fields.tsx";
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
  useOpened();
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
          <MoreFields draft={draft} set={set} />
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
