import { Dialog } from "../../parts/dialog.tsx";
import { ago, count, percent, plural, time } from "../../parts/format.ts";
import type { Range } from "../../parts/range.ts";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { link, navigate, route } from "../../route.ts";
import { Fields } from "./fields.tsx";
import { loadSample, loadSources, type Sample } from "./load-type.ts";
import type { TypeRow } from "./summary.ts";

/** One type: its sources, the versions in use, and its fields beside those of the schema. */
export function TypeDrawer({ type, row, range }: { type: string; row: TypeRow | undefined; range: Range }) {
  const sources = useLoad(`sources ${type}`, (signal) => loadSources(type, range, signal));
  const sample = useLoad(`sample ${type}`, (signal) => loadSample(type, signal));
  const { params } = route.value;
  const events = new URLSearchParams([...params].filter(([name]) => ["range", "from", "to", "tenant"].includes(name)));
  events.set("type", type);
  return (
    <Dialog
      kind="drawer"
      title={<Text value={type} max={120} />}
      onClose={() => navigate("types", params)}
      tools={<a href={link("events", events)}>Show events</a>}
    >
      <div class="stack">
        <dl class="pairs">
          <dt>In this range</dt>
          <dd class="number">
            {plural(row?.events ?? 0, "event")}
            {row !== undefined && row.events > 0 && <span class="quiet"> · {percent(row.share)} of all</span>}
          </dd>
          <dt>Last seen</dt>
          <dd class="number">
            <Last sample={sample.data} />
          </dd>
        </dl>
        <section>
          <h3>Top sources</h3>
          {sources.problem !== undefined && <Failed problem={sources.problem} onRetry={sources.reload} />}
          {sources.data === undefined && sources.problem === undefined && (
            <Loading what="Counting the sources" lines={2} />
          )}
          {sources.data !== undefined && <Sources sources={sources.data} />}
        </section>
        {sample.problem !== undefined && <Failed problem={sample.problem} onRetry={sample.reload} />}
        {sample.data === undefined && sample.problem === undefined && (
          <Loading what="Reading the latest events" lines={6} />
        )}
        {sample.data !== undefined && sample.data.events === 0 && <Empty title="No event of this type is stored" />}
        {sample.data !== undefined && sample.data.events > 0 && <Fields sample={sample.data} />}
      </div>
    </Dialog>
  );
}

function Last({ sample }: { sample: Sample | undefined }) {
  if (sample === undefined) return <span class="quiet">…</span>;
  if (sample.lastAt === undefined) return <span class="quiet">–</span>;
  return (
    <>
      {ago(sample.lastAt)} <span class="quiet">· {time(sample.lastAt)}</span>
    </>
  );
}

type SourceCount = { source: string; events: number };

function Sources({ sources }: { sources: readonly SourceCount[] }) {
  const sum = sources.reduce((total, { events }) => total + events, 0);
  const top = sources.slice(0, 8);
  if (top.length === 0) return <p class="quiet">None in this range.</p>;
  return (
    <table>
      <tbody>
        {top.map(({ source, events }) => (
          <tr key={source}>
            <th scope="row">
              <Text value={source} max={120} />
            </th>
            <td class="end">{count(events)}</td>
            <td class="end quiet">{percent(events / sum)}</td>
          </tr>
        ))}
      </tbody>
      {sources.length > top.length && (
        <caption class="quiet">and {plural(sources.length - top.length, "other source")}</caption>
      )}
    </table>
  );
}
