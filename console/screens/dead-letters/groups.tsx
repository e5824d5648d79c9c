import { call } from "../../api/client.ts";
import { FilterChips } from "../../parts/filter-chips.tsx";
import { count, percent, plural } from "../../parts/format.ts";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { When } from "../../parts/when.tsx";
import { useOpened } from "../../parts/use-opened.ts";
import { link, route } from "../../route.ts";
import { tenant } from "../../session.ts";
import type { DeadLetterGroup } from "../../types.ts";
import { toQuery } from "./selection.ts";
import { isOpenState, StateTabs } from "./state-tabs.tsx";

/** Dead letters by their causes, the largest group first. */
export function Groups() {
  useOpened();
  const { params } = route.value;
  const query = toQuery(params);
  const { data, problem, isLoading, reload } = useLoad(`${tenant.value} ${query}`, async (signal) => {
    const { body } = await call<{ groups: DeadLetterGroup[] }>("GET", "dead-letters/groups", { query, signal });
    return body.groups;
  });
  const total = data?.reduce((sum, group) => sum + group.count, 0) ?? 0;
  return (
    <>
      <header class="head">
        <h1>Dead letters</h1>
        {data !== undefined && data.length > 0 && (
          <span class="quiet">
            {plural(total, "dead letter")} of {plural(data.length, "cause")}
          </span>
        )}
        <a href={link("dead-letters", withList(params))}>As one list</a>
        <button type="button" onClick={reload} disabled={isLoading}>
          Refresh
        </button>
      </header>
      <div class="toolbar">
        <StateTabs />
        <FilterChips />
      </div>
      {problem !== undefined ? (
        <Failed problem={problem} onRetry={reload} />
      ) : data === undefined ? (
        <Loading what="Grouping dead letters" />
      ) : data.length === 0 ? (
        <NoGroups />
      ) : (
        <ul class="rows" aria-label="Causes">
          {data.map((group) => (
            <Group key={JSON.stringify([group.reason, group.sqlState, group.message])} group={group} />
          ))}
        </ul>
      )}
    </>
  );
}

function Group({ group }: { group: DeadLetterGroup }) {
  const { reason, sqlState, message, count: size, share, firstSeen, lastSeen, types } = group;
  const params = new URLSearchParams(route.value.params);
  params.set("reason", reason);
  params.set("message", message);
  if (sqlState !== null) params.set("sqlState", sqlState);
  return (
    <li class="row card">
      <div class="row-main">
        <p>
          <span class="badge bad">{reason}</span> {sqlState !== null && <code class="quiet">{sqlState}</code>}
        </p>
        <a href={link("dead-letters", params)} class="row-title">
          <Text value={message === "" ? reason : message} max={300} />
        </a>
        <p class="quiet">
          {types.slice(0, 3).map((type, index) => (
            <span key={type}>
              {index > 0 && ", "}
              <Text value={type} max={100} />
            </span>
          ))}
          {types.length > 3 && ` and ${types.length - 3} more`}
        </p>
      </div>
      <div class="row-side">
        <b class="number">{count(size)}</b>
        <span class="quiet">{percent(share)}</span>
        <meter min={0} max={1} value={share} aria-label={`Share of all: ${percent(share)}`} />
        <span class="quiet">
          first <When at={firstSeen} />, last <When at={lastSeen} />
        </span>
      </div>
    </li>
  );
}

function NoGroups() {
  const { params } = route.value;
  if (!isOpenState(params) || toQuery(params).size > 0) {
    return (
      <Empty title="No dead letter matches">
        <p>Take a condition of the filter out, or look at another state.</p>
      </Empty>
    );
  }
  return (
    <Empty title="No dead letter is open">
      <p>Every accepted event is stored or on its way. An event that cannot be stored waits here with its reason.</p>
    </Empty>
  );
}

function withList(params: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(params);
  next.set("view", "list");
  return next;
}
