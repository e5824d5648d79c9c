import { plural } from "../../parts/format.ts";
import { Text } from "../../parts/text.tsx";
import { When } from "../../parts/when.tsx";
import type { DeadLetter } from "../../types.ts";

/** The reason of a dead letter, and the facts about its event. */
export function Reason({ deadLetter }: { deadLetter: DeadLetter }) {
  const {
    reason,
    sqlState,
    message,
    openedAt,
    receivedAt,
    attempts,
    replays,
    type,
    source,
    tenant: owner,
  } = deadLetter;
  return (
    <section class="card stack" aria-labelledby="why">
      <h2 id="why">Why it is not stored</h2>
      <p>
        <span class="badge bad">{reason}</span> {sqlState !== null && <code>{sqlState}</code>}{" "}
        <Text value={message} max={2_000} expandable />
      </p>
      <dl class="pairs">
        <dt>Type</dt>
        <dd>{type === null ? "–" : <Text value={type} />}</dd>
        <dt>Source</dt>
        <dd>{source === null ? "–" : <Text value={source} />}</dd>
        <dt>Tenant</dt>
        <dd>{owner ?? "none: the message names none"}</dd>
        <dt>Accepted</dt>
        <dd>
          <When at={receivedAt} />
        </dd>
        <dt>Open since</dt>
        <dd>
          <When at={openedAt} />
        </dd>
        <dt>Tried</dt>
        <dd>
          {plural(attempts, "time")} by the consumer; replayed {plural(replays, "time")}
        </dd>
      </dl>
    </section>
  );
}
