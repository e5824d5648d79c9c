import { call } from "../../api/client.ts";
import { eventLink } from "../../parts/event-link.ts";
import { PageFoot } from "../../parts/page-foot.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Empty } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Text } from "../../parts/text.tsx";
import { time } from "../../parts/format.ts";
import { usePages } from "../../parts/use-pages.ts";
import { When } from "../../parts/when.tsx";
import { route, setParams } from "../../route.ts";
import type { Delivery } from "../../types.ts";

const STATES = ["pending", "delivered", "failed", "skipped"] as const;
const TONES = { pending: "accent", delivered: "good", failed: "bad", skipped: "warn" } as const;

/** Events that the subscription owes its sink, or has delivered. */
export function Deliveries({ path }: { path: string }) {
  const state = route.value.params.get("state") ?? "";
  const pages = usePages<Delivery>(`${path} ${state}`, async (after, signal) => {
    const { body } = await call<{ deliveries: Delivery[]; next: string | null }>("GET", `${path}/deliveries`, {
      query: { state, after },
      signal,
    });
    return { rows: body.deliveries, next: body.next };
  });
  return (
    <>
      <div class="toolbar">
        <label class="inline-label">
          State
          <select value={state} onChange={({ currentTarget: { value } }) => setParams({ state: value })}>
            <option value="">any</option>
            {STATES.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={pages.reload} disabled={pages.isLoading}>
          Refresh
        </button>
      </div>
      <Paged
        pages={pages}
        what="deliveries"
        empty={
          <Empty title="No delivery is in this state">
            <p>Events become deliveries as soon as they are stored and match.</p>
          </Empty>
        }
      >
        <Table
          label="Deliveries"
          columns={COLUMNS}
          rows={pages.rows}
          rowKey={({ id }) => id}
          href={({ eventId, eventSource }) => eventLink(eventId, eventSource)}
          foot={<PageFoot pages={pages} one="delivery" many="deliveries" />}
        />
      </Paged>
    </>
  );
}

const COLUMNS: readonly Column<Delivery>[] = [
  { name: "event", title: "Event", cell: ({ eventId }) => <Text value={eventId} max={100} /> },
  {
    name: "state",
    title: "State",
    width: "7rem",
    cell: ({ state }) => <span class={`badge ${TONES[state]}`}>{state}</span>,
  },
  { name: "type", title: "Type", cell: ({ eventType }) => <Text value={eventType} max={100} />, wide: true },
  { name: "tries", title: "Tries", align: "end", width: "4rem", cell: ({ attempts }) => attempts, wide: true },
  { name: "last", title: "Last tried", cell: ({ lastAt }) => <When at={lastAt} />, wide: true },
  { name: "next", title: "Next", cell: ({ dueAt }) => (dueAt === undefined ? "–" : time(dueAt)), wide: true },
  { name: "code", title: "Status", align: "end", width: "5rem", cell: ({ code }) => code ?? "–" },
];
