import { useMemo, useState } from "preact/hooks";
import { FilterChips } from "../parts/filter-chips.tsx";
import { conditionsOf, faultOf } from "../parts/filter-params.ts";
import { rangeOf } from "../parts/range.ts";
import { TimeRange } from "../parts/time-range.tsx";
import { route } from "../route.ts";
import { EventDrawer } from "./events/event-drawer.tsx";
import { EventTable } from "./events/event-table.tsx";
import type { Row } from "./events/query.ts";
import { useEvents } from "./events/use-events.ts";
import { Volume } from "./events/volume.tsx";

/** Finds events: a filter and a range, their volume, the list, and one event. All of it stands in the address. */
export function Events() {
  const { params } = route.value;
  const fault = faultOf(conditionsOf(params));
  return fault === undefined ? <Found params={params} /> : <Faulty fault={fault} />;
}

function Found({ params }: { params: URLSearchParams }) {
  const [reloads, setReloads] = useState(0);
  const key = `${params} ${reloads}`;
  // A range that ends now is fixed when the list begins, because its pages are of one range.
  const range = useMemo(() => rangeOf(params, "24h"), [key]);
  const list = useEvents(key, params, range);
  const reload = () => setReloads(reloads + 1);
  return (
    <>
      <header class="head">
        <h1>Events</h1>
        <TimeRange range={range} />
        <button type="button" onClick={reload} disabled={list.isLoading}>
          Refresh
        </button>
      </header>
      <FilterChips />
      <Volume id={key} params={params} range={range} />
      <EventTable list={list} params={params} onReload={reload} />
      <Opened rows={list.rows} />
    </>
  );
}

/** The event that the address names, with the ways to those beside it in the list. */
function Opened({ rows }: { rows: readonly Row[] }) {
  const [id, source] = route.value.path;
  if (id === undefined) return null;
  const at = rows.findIndex((row) => row.id === id && row.source === source);
  return <EventDrawer id={id} source={source} before={rows[at - 1]} after={at === -1 ? undefined : rows[at + 1]} />;
}

/** An address may have a filter that is none. Its chips can be removed. */
function Faulty({ fault }: { fault: string }) {
  return (
    <>
      <header class="head">
        <h1>Events</h1>
      </header>
      <FilterChips />
      <p class="note bad" role="alert">
        {fault}
      </p>
      <Opened rows={[]} />
    </>
  );
}
