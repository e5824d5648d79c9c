import { useState } from "preact/hooks";
import { call } from "../api/client.ts";
import { plural } from "../parts/format.ts";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { useLoad } from "../parts/use-load.ts";
import { route } from "../route.ts";
import { tenant } from "../session.ts";
import type { RefusalPage } from "../types.ts";
import { CauseRow } from "./refusals/cause-row.tsx";
import { toCauses } from "./refusals/causes.ts";
import { dayRange } from "./refusals/day-range.ts";
import { Toolbar } from "./refusals/toolbar.tsx";

/** Pages of groups that are read for one view: a week of a tenant has no more. */
const PAGES_MAX = 40;
const SHOWN = 50;

/** Events that were not accepted, by cause: since when, how many, and who sends them. */
export function Refusals() {
  const { params } = route.value;
  const { from, to } = dayRange(params, Date.now());
  const query = new URLSearchParams({ from, to });
  for (const name of ["code", "type", "pointer"]) {
    const value = params.get(name);
    if (value !== null) query.set(name, value);
  }
  const { data, problem, isLoading, reload } = useLoad(`${tenant.value} ${query}`, (signal) => readAll(query, signal));
  const [shown, setShown] = useState(SHOWN);
  const causes = toCauses(data?.groups ?? []);
  const total = causes.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <header class="head">
        <h1>Refusals</h1>
        {causes.length > 0 && (
          <span class="quiet">
            {data?.isWhole === false ? "at least " : ""}
            {plural(total, "refusal")} of {plural(causes.length, "cause")}
          </span>
        )}
        <button type="button" onClick={reload} disabled={isLoading}>
          Refresh
        </button>
      </header>
      <Toolbar />
      {problem !== undefined ? (
        <Failed problem={problem} onRetry={reload} />
      ) : data === undefined ? (
        <Loading what="Loading refusals" lines={6} />
      ) : causes.length === 0 ? (
        <Empty title="Nothing was refused">
          <p>
            Every event from {from} to {to} (UTC) that this filter has was accepted. A refusal is counted some seconds
            after its request.
          </p>
        </Empty>
      ) : (
        <>
          <ul class="rows" aria-label="Causes of refusals">
            {causes.slice(0, shown).map((cause) => (
              <CauseRow key={cause.key} cause={cause} from={from} to={to} />
            ))}
          </ul>
          {causes.length > shown && (
            <button type="button" onClick={() => setShown(shown + SHOWN)}>
              Show more of {plural(causes.length, "cause")}
            </button>
          )}
        </>
      )}
    </>
  );
}

async function readAll(query: URLSearchParams, signal: AbortSignal) {
  const groups: RefusalPage["groups"] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const asked = new URLSearchParams([...query, ["limit", "50"], ...(cursor === null ? [] : [["cursor", cursor]])]);
    const { body }: { body: RefusalPage } = await call<RefusalPage>("GET", "refusals", {
      query: asked,
      signal,
      record: page === 0,
    });
    groups.push(...body.groups);
    cursor = body.next;
    if (cursor === null) return { groups, isWhole: true };
  }
  return { groups, isWhole: false };
}
