import { call } from "../../api/client.ts";
import { duration, time } from "../../parts/format.ts";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { link, route } from "../../route.ts";
import type { Attributes } from "./event-summary.tsx";
import { type Row, rowsOf } from "./query.ts";

/** Events before and behind that are shown. */
const EACH_SIDE = 8;

/** The events around one that have its subject, or its source where it has none, in the order they were received. */
export function Neighbours({ attributes }: { attributes: Attributes }) {
  const { id = "", subject, source, type = "", receivedat = "" } = attributes;
  const by = subject === undefined ? { source } : { subject };
  const hasStar = (subject ?? source ?? "").includes("*");
  const { data, problem, reload } = useLoad(`neighbours ${id}`, async (signal) => {
    if (hasStar) return { before: [], after: [] };
    const ask = async (query: Record<string, string | undefined>) => {
      const answer = await call("GET", "events", {
        query: { ...by, ...query, limit: String(EACH_SIDE), select: "id,source,type,subject,receivedat" },
        signal,
      });
      return rowsOf(answer.text, []);
    };
    const before = await ask({ to: receivedat });
    const after = await ask({ from: receivedat, order: "receivedAt" });
    return { before: before.toReversed(), after };
  });
  if (problem !== undefined) return <Failed problem={problem} onRetry={reload} />;
  if (data === undefined) return <Loading what="Looking for neighbours" />;
  // More events than are shown may have been received at the same time.
  const own: Row = { id, source: source ?? "", type, subject, receivedAt: receivedat, columns: [] };
  const isThis = (row: Row) => row.id === id && row.source === source;
  const rows = [...data.before, ...(data.after.some(isThis) ? [] : [own]), ...data.after];
  if (rows.length <= 1) {
    return <Empty title={`No other event has this ${subject === undefined ? "source" : "subject"}`} />;
  }
  return (
    <>
      <p class="quiet">
        The same {subject === undefined ? "source" : "subject"}, <Text value={subject ?? source ?? ""} max={80} />,
        before and after this event.
      </p>
      <ol class="neighbours">
        {rows.map((row) => (
          <Neighbour key={`${row.id} ${row.source}`} row={row} isThis={isThis(row)} at={receivedat} />
        ))}
      </ol>
    </>
  );
}

function Neighbour({ row: { id, source, type, receivedAt }, isThis, at }: { row: Row; isThis: boolean; at: string }) {
  const apart = Date.parse(receivedAt) - Date.parse(at);
  return (
    <li class={isThis ? "selected" : ""} aria-current={isThis ? "true" : undefined}>
      <time class="quiet number" dateTime={receivedAt} title={time(receivedAt, { millis: true })}>
        {isThis ? "this event" : `${apart < 0 ? "−" : "+"}${duration(Math.abs(apart))}`}
      </time>
      <span>
        <Text value={type} max={120} />
        <br />
        {isThis ? (
          <code>
            <Text value={id} max={60} />
          </code>
        ) : (
          <a href={link("events", route.value.params, [id, source])}>
            <code>
              <Text value={id} max={60} />
            </code>
          </a>
        )}
      </span>
    </li>
  );
}
