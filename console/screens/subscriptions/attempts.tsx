import { call } from "../../api/client.ts";
import { duration, time } from "../../parts/format.ts";
import { PageFoot } from "../../parts/page-foot.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Empty } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { route, setParams } from "../../route.ts";
import type { Attempt } from "../../types.ts";

const STATUSES = ["delivered", "later", "failed"] as const;
const TONES = { delivered: "good", later: "warn", failed: "bad" } as const;
const NAMES = { delivered: "delivered", later: "tried again later", failed: "failed" } as const;

/** Every request to the sink, latest first, by its result, its HTTP status and its event. */
export function Attempts({ path }: { path: string }) {
  const { params } = route.value;
  const query = new URLSearchParams();
  for (const name of ["status", "code", "event"]) {
    const value = params.get(name);
    if (value !== null) query.set(name, value);
  }
  const pages = usePages<Attempt>(`${path} ${query}`, async (after, signal) => {
    const asked = new URLSearchParams([...query, ...(after === undefined ? [] : [["after", after]])]);
    const { body } = await call<{ attempts: Attempt[]; next: string | null }>("GET", `${path}/attempts`, {
      query: asked,
      signal,
    });
    return { rows: body.attempts, next: body.next };
  });
  return (
    <>
      <div class="toolbar">
        <label class="inline-label">
          Result
          <select
            value={params.get("status") ?? ""}
            onChange={({ currentTarget: { value } }) => setParams({ status: value })}
          >
            <option value="">any</option>
            {STATUSES.map((status) => (
              <option key={status} value={status}>
                {NAMES[status]}
              </option>
            ))}
          </select>
        </label>
        <label class="inline-label">
          HTTP status
          <input
            name="code"
            inputMode="numeric"
            pattern="[1-5][0-9][0-9]"
            placeholder="any"
            size={5}
            value={params.get("code") ?? ""}
            onChange={({ currentTarget }) => currentTarget.checkValidity() && setParams({ code: currentTarget.value })}
          />
        </label>
        <label class="inline-label">
          Event id
          <input
            name="event"
            placeholder="any"
            value={params.get("event") ?? ""}
            onChange={({ currentTarget: { value } }) => setParams({ event: value.trim() })}
          />
        </label>
        <button type="button" onClick={pages.reload} disabled={pages.isLoading}>
          Refresh
        </button>
      </div>
      <Paged
        pages={pages}
        what="attempts"
        empty={
          <Empty title={query.size > 0 ? "No attempt matches" : "Nothing was tried yet"}>
            <p>An attempt is one request to the sink. They are kept for 30 days.</p>
          </Empty>
        }
      >
        <ol class="rows tight" aria-label="Attempts, latest first">
          {pages.rows.map((attempt) => (
            <AttemptRow key={`${attempt.deliveryId} ${attempt.number} ${attempt.at}`} attempt={attempt} />
          ))}
        </ol>
        <PageFoot pages={pages} one="attempt" />
      </Paged>
    </>
  );
}

function AttemptRow({ attempt }: { attempt: Attempt }) {
  const { eventId, deliveryId, number, status, code, at, durationMs, error, response } = attempt;
  return (
    <li class="card">
      <details>
        <summary class="row">
          <span class="row-main">
            <span>
              <span class={`badge ${TONES[status]}`}>{code ?? "no answer"}</span> <Text value={eventId} max={100} />
            </span>
          </span>
          <span class="row-side">
            <span class="quiet">
              <time dateTime={at}>{time(at)}</time> · try {number} · {duration(durationMs)}
            </span>
          </span>
        </summary>
        <dl class="pairs inner">
          <dt>Result</dt>
          <dd>{NAMES[status]}</dd>
          <dt>Delivery</dt>
          <dd>
            <code>{deliveryId}</code>
          </dd>
          <dt>Error</dt>
          <dd>{error === undefined ? "none" : <Text value={error} />}</dd>
          <dt>Answer</dt>
          <dd>{response === undefined || response === "" ? "empty" : <Text value={response} max={1_100} />}</dd>
        </dl>
      </details>
    </li>
  );
}
