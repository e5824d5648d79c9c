import { useMemo, useState } from "preact/hooks";
import { rangeOf } from "../parts/range.ts";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeRange } from "../parts/time-range.tsx";
import { useLoad } from "../parts/use-load.ts";
import { link, route } from "../route.ts";
import { loadTypes } from "./types/load-types.ts";
import { TypeDrawer } from "./types/type-drawer.tsx";
import { TypeTable } from "./types/type-table.tsx";

/** The types of events that come: their number, their sources, and their drift from the schema. */
export function Types() {
  const { params, path } = route.value;
  const [reloads, setReloads] = useState(0);
  const key = `${params} ${reloads}`;
  const range = useMemo(() => rangeOf(params, "24h"), [key]);
  const { data, problem, isLoading, reload } = useLoad(key, (signal) => loadTypes(range, signal), { keep: true });
  const opened = data?.rows.find(({ type }) => type === path[0]);
  return (
    <>
      <header class="head">
        <h1>Types</h1>
        <TimeRange range={range} />
        <button type="button" disabled={isLoading} onClick={() => setReloads(reloads + 1)}>
          Refresh
        </button>
      </header>
      {problem !== undefined && <Failed problem={problem} onRetry={reload} />}
      {data === undefined && isLoading && <Loading what="Counting the types" lines={8} />}
      {data?.isWhole === false && (
        <p class="note warn">There are more types than one answer has: these have most events.</p>
      )}
      {data !== undefined && data.rows.length === 0 && (
        <Empty title="No events, and no types in the catalog">
          <p>
            Send an event, or add a type to catalog/. <a href={link("send")}>Send an event</a>
          </p>
        </Empty>
      )}
      {data !== undefined && data.rows.length > 0 && <TypeTable key={key} list={data} />}
      {path[0] !== undefined && <TypeDrawer key={path[0]} type={path[0]} row={opened} range={range} />}
    </>
  );
}
