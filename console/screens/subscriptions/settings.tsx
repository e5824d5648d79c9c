import { useState } from "preact/hooks";
import { time } from "../../parts/format.ts";
import { KEEPS_DIGITS } from "../../parts/keeps-digits.ts";
import { indent, memberOf } from "../../parts/json-parts.ts";
import { JsonTree } from "../../parts/json-tree.tsx";
import { link } from "../../route.ts";
import { can } from "../../session.ts";
import type { WholeSubscription } from "../../types.ts";
import { ChangeSettings } from "./change-settings.tsx";

/** Everything that was set, but its secrets. `text` is the answer as it came: numbers of a filter keep their digits. */
export function Settings({
  subscription,
  text,
  onChanged,
}: {
  subscription: WholeSubscription;
  text: string;
  onChanged: () => void;
}) {
  const [isChanging, setChanging] = useState(false);
  const { id, sink, order, schedule, batch, rate, timeoutMs, types, sources, keyId, createdAt, updatedAt } =
    subscription;
  const filter = memberOf(text.trim(), "filter");
  return (
    <section class="card stack" aria-label="Settings">
      <div class="buttons">
        <button type="button" disabled={!KEEPS_DIGITS} onClick={() => setChanging(true)}>
          Change…
        </button>
      </div>
      <dl class="pairs">
        <dt>Id</dt>
        <dd>
          <code>{id}</code>
        </dd>
        <dt>Order</dt>
        <dd>{order === "none" ? "none: as fast as possible" : "events of a subject one after another"}</dd>
        <dt>Schedule</dt>
        <dd>
          {schedule === "standard" ? "standard: 10 tries in 75 h" : "doubling: twice the wait each time, for 76 h"}
        </dd>
        <dt>Batch</dt>
        <dd>{batch} at most in a request</dd>
        <dt>Rate</dt>
        <dd>{rate === undefined ? "without a bound" : `${rate} a second`}</dd>
        <dt>Timeout</dt>
        <dd>{timeoutMs} ms</dd>
        <dt>Bound to</dt>
        <dd>
          {types === undefined ? "all types" : types.join(", ")};{" "}
          {sources === undefined ? "all sources" : sources.join(", ")}
        </dd>
        <dt>Made</dt>
        <dd>
          {time(createdAt)} by {can("keys") ? <a href={link("keys", {}, [keyId])}>{keyId}</a> : <code>{keyId}</code>}
        </dd>
        <dt>Changed</dt>
        <dd>{time(updatedAt)}</dd>
      </dl>
      <h2>Sink</h2>
      <JsonTree text={JSON.stringify(sink)} />
      <h2>Filter</h2>
      {filter === undefined ? <p>None: every event.</p> : <JsonTree text={filter} open={4} />}
      {isChanging && (
        <ChangeSettings
          subscription={subscription}
          filter={filter === undefined ? "" : indent(filter)}
          onClose={() => setChanging(false)}
          onChanged={() => {
            setChanging(false);
            onChanged();
          }}
        />
      )}
    </section>
  );
}
