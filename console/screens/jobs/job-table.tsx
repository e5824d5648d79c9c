import { count } from "../../parts/format.ts";
import { PageFoot } from "../../parts/page-foot.tsx";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import type { Pages } from "../../parts/use-pages.ts";
import { When } from "../../parts/when.tsx";
import type { JobRow } from "./job-row.ts";

type Props = {
  label: string;
  pages: Pages<JobRow>;
  hrefOf: (row: JobRow) => string;
  /** Shown where there is no job. */
  empty: { title: string; text: string };
  hasKind?: boolean;
};

/** Jobs of one kind, the latest first. */
export function JobTable({ label, pages, hrefOf, empty, hasKind = false }: Props) {
  if (pages.problem !== undefined && !pages.isReady) return <Failed problem={pages.problem} onRetry={pages.reload} />;
  if (!pages.isReady) return <Loading what="Loading jobs" lines={6} />;
  if (pages.rows.length === 0) {
    return (
      <Empty title={empty.title}>
        <p>{empty.text}</p>
      </Empty>
    );
  }
  return (
    <Table
      label={label}
      columns={hasKind ? [KIND, ...COLUMNS.slice(1)] : COLUMNS}
      rows={pages.rows}
      rowKey={({ id }) => id}
      href={hrefOf}
      foot={<PageFoot pages={pages} one="job" />}
    />
  );
}

const TONES: Readonly<Record<string, string>> = {
  queued: "",
  running: "accent",
  cancelling: "warn",
  done: "good",
  failed: "bad",
  cancelled: "warn",
};

const KIND: Column<JobRow> = {
  name: "kind",
  title: "Job",
  cell: ({ kind, createdAt }) => (
    <>
      {kind} <When at={createdAt} />
    </>
  ),
};

const COLUMNS: readonly Column<JobRow>[] = [
  { name: "started", title: "Started", cell: ({ createdAt }) => <When at={createdAt} /> },
  {
    name: "state",
    title: "State",
    cell: ({ state }) => <span class={`badge ${TONES[state] ?? ""}`}>{state}</span>,
    width: "7rem",
  },
  {
    name: "done",
    title: "Done",
    align: "end",
    cell: ({ done, planned }) => (planned === undefined ? count(done) : `${count(done)} of ${count(planned)}`),
  },
  {
    name: "bad",
    title: "Failed again",
    align: "end",
    wide: true,
    cell: ({ counts }) => {
      const bad = counts.find(({ isBad }) => isBad === true)?.value ?? 0;
      return bad > 0 ? <span class="bad">{count(bad)}</span> : "–";
    },
  },
  { name: "key", title: "By", cell: ({ keyId }) => <code>{keyId}</code>, wide: true },
];
