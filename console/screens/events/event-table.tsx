import type { ComponentChildren } from "preact";
import { count, plural, time } from "../../parts/format.ts";
import { kindOf, stringOf } from "../../parts/json-parts.ts";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Text } from "../../parts/text.tsx";
import { link, route, setParams } from "../../route.ts";
import { COLUMN, columnsOf, type Row } from "./query.ts";
import type { EventList } from "./use-events.ts";

type Props = { list: EventList; params: URLSearchParams; onReload: () => void };

/** The events of the filter, and how far they were looked for. */
export function EventTable({ list, params, onReload }: Props) {
  const { rows, isLoading, problem, hasMore } = list;
  if (rows.length === 0) {
    if (problem !== undefined) return <Failed problem={problem} onRetry={onReload} />;
    if (isLoading) return <Loading what="Looking for events" lines={8} />;
    return hasMore ? <More list={list} /> : <None />;
  }
  return (
    <Table
      label="Events"
      columns={columns(columnsOf(params))}
      rows={rows}
      rowKey={keyOf}
      href={({ id, source }) => link("events", params, [id, source])}
      selected={route.value.path.join("\n")}
      foot={<More list={list} />}
    />
  );
}

const keyOf = ({ id, source }: Row) => `${id}\n${source}`;

function columns(added: readonly string[]): Column<Row>[] {
  return [
    {
      name: "received",
      title: "Received",
      width: "10.5rem",
      cell: ({ receivedAt }) => <time dateTime={receivedAt}>{time(receivedAt)}</time>,
    },
    { name: "type", title: "Type", cell: ({ type }) => <Text value={type} max={200} /> },
    { name: "source", title: "Source", wide: true, cell: ({ source }) => <Text value={source} max={200} /> },
    ...(added.length > 1
      ? []
      : [
          {
            name: "subject",
            title: "Subject",
            wide: true,
            cell: ({ subject }: Row) => subject !== undefined && <Text value={subject} max={200} />,
          },
        ]),
    ...added.map(
      (pointer, index): Column<Row> => ({
        name: pointer,
        wide: true,
        title: <AddedColumn pointer={pointer} />,
        cell: (row) => <Value json={row.columns[index]} />,
      }),
    ),
  ];
}

function AddedColumn({ pointer }: { pointer: string }) {
  return (
    <>
      <Text value={pointer.replace("/data/", "")} max={60} />
      <button
        type="button"
        class="plain small"
        aria-label={`Remove the column ${pointer}`}
        onClick={() => setParams({ [COLUMN]: route.value.params.getAll(COLUMN).filter((each) => each !== pointer) })}
      >
        ×
      </button>
    </>
  );
}

function Value({ json }: { json: string | undefined }): ComponentChildren {
  if (json === undefined) return <span class="quiet">–</span>;
  return <Text value={kindOf(json) === "string" ? stringOf(json) : json} max={200} />;
}

/** The number of events that were looked at so far, and the way on. */
function More({ list: { rows, scanned, plan, complete, hasMore, isLoading, problem, more } }: { list: EventList }) {
  const found = plural(rows.length, "event");
  const looked = `${count(scanned)} looked at (${plan === "index" ? "found by an index" : "scanned"})`;
  return (
    <div class={`foot ${complete ? "" : "partial"}`} role="status">
      <span class="quiet number">
        {complete
          ? `${found}${hasMore ? " so far" : ", all of this list"}; ${looked}.`
          : `This page is not complete: its five seconds were over. ${found} so far; ${looked}.`}
      </span>
      {problem !== undefined && <span class="bad">{problem.message}</span>}
      {hasMore && (
        <button type="button" disabled={isLoading} onClick={more}>
          {isLoading ? "Looking…" : complete ? "Show more" : "Go on looking"}
        </button>
      )}
    </div>
  );
}

function None() {
  const { params } = route.value;
  return (
    <Empty title="No events here">
      <p>No event of this filter was received in this range of time.</p>
      <div class="buttons">
        {params.get("range") !== "30d" && (
          <button type="button" onClick={() => setParams({ range: "30d", from: undefined, to: undefined })}>
            Look at the last 30 days
          </button>
        )}
      </div>
    </Empty>
  );
}
