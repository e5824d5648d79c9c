import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ago, count, percent, plural, time } from "../../parts/format.ts";
import { Sparkline } from "../../parts/sparkline.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Text } from "../../parts/text.tsx";
import { link, route } from "../../route.ts";
import { loadVolumes, type TypeList } from "./load-types.ts";
import { lastSeen, type TypeRow } from "./summary.ts";

type Volumes = ReadonlyMap<string, readonly number[]>;

/** The types, with the volumes of those that are seen. */
export function TypeTable({ list: { rows, buckets } }: { list: TypeList }) {
  const [found, setFound] = useState<Volumes>(new Map());
  const asked = useRef(new Set<string>());
  const controller = useRef(new AbortController());
  useEffect(() => () => controller.current.abort(), []);

  const load = useCallback(
    async (seen: readonly TypeRow[]) => {
      const types = seen.flatMap(({ type, events }) => (events > 0 && !asked.current.has(type) ? [type] : []));
      if (types.length === 0) return;
      for (const type of types) asked.current.add(type);
      try {
        const volumes = await loadVolumes(types, buckets, controller.current.signal);
        setFound((before) => new Map([...before, ...volumes]));
      } catch {
        // The numbers are there without their pictures; those are asked for again when they are next seen.
        for (const type of types) asked.current.delete(type);
      }
    },
    [buckets],
  );

  return (
    <Table
      label="Types of events"
      columns={columns(found, (values) => lastSeen(values, buckets))}
      rows={rows}
      rowKey={({ type }) => type}
      href={({ type }) => link("types", route.value.params, [type])}
      selected={route.value.path[0]}
      onSeen={(seen) => void load(seen)}
    />
  );
}

function columns(volumes: Volumes, last: (values: readonly number[]) => number | undefined): Column<TypeRow>[] {
  return [
    {
      name: "type",
      title: "Type",
      cell: ({ type, isNew }) => (
        <>
          <Text value={type} max={200} />
          {isNew && (
            <>
              {" "}
              <span class="badge accent">new</span>
            </>
          )}
        </>
      ),
    },
    {
      name: "volume",
      title: "Volume",
      width: "8rem",
      wide: true,
      cell: ({ type }) => <Sparkline values={volumes.get(type) ?? NONE} />,
    },
    { name: "events", title: "Events", width: "6rem", align: "end", cell: ({ events }) => count(events) },
    {
      name: "share",
      title: "Share",
      width: "6rem",
      align: "end",
      wide: true,
      cell: ({ share, events }) => (events === 0 ? "–" : percent(share)),
    },
    {
      name: "last",
      title: "Last seen",
      width: "8rem",
      wide: true,
      cell: ({ type }) => <LastSeen at={last(volumes.get(type) ?? NONE)} />,
    },
    {
      name: "schema",
      title: "Catalog",
      width: "8rem",
      wide: true,
      cell: ({ versions }) => <Versions versions={versions} />,
    },
  ];
}

const NONE: readonly number[] = [];

function LastSeen({ at }: { at: number | undefined }) {
  if (at === undefined) return <span class="quiet">–</span>;
  const iso = new Date(at).toISOString();
  return (
    <time dateTime={iso} title={`Before ${time(at)}`}>
      {ago(iso)}
    </time>
  );
}

function Versions({ versions }: { versions: number }) {
  return versions === 0 ? (
    <span class="badge warn">no schema</span>
  ) : (
    <span class="quiet">{plural(versions, "version")}</span>
  );
}
