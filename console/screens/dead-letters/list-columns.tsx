import type { Column } from "../../parts/table.tsx";
import { Text } from "../../parts/text.tsx";
import { When } from "../../parts/when.tsx";
import type { DeadLetterRow } from "../../types.ts";

/** Which dead letters are chosen, and how that changes. */
type Marking = {
  marked: ReadonlySet<string>;
  mark: (id: string) => void;
  markAll: (isAll: boolean) => void;
  isAll: boolean;
};

/** The columns of the list; without `marking` none can be chosen. */
export function columnsOf(marking: Marking | undefined): readonly Column<DeadLetterRow>[] {
  const columns: Column<DeadLetterRow>[] = [
    { name: "event", title: "Event", cell: ({ eventId }) => <Text value={eventId ?? "a whole message"} max={120} /> },
    { name: "type", title: "Type", cell: ({ type }) => <Text value={type ?? "–"} max={120} />, wide: true },
    { name: "source", title: "Source", cell: ({ source }) => <Text value={source ?? "–"} max={120} />, wide: true },
    { name: "opened", title: "Open since", cell: ({ openedAt }) => <When at={openedAt} />, width: "8rem" },
    { name: "replays", title: "Replays", cell: ({ replays }) => replays, align: "end", width: "5rem", wide: true },
  ];
  if (marking === undefined) return columns;
  const { marked, mark, markAll, isAll } = marking;
  return [
    ...columns,
    {
      name: "mark",
      title: (
        <input
          type="checkbox"
          aria-label="Choose all that are shown"
          checked={isAll}
          onChange={({ currentTarget }) => markAll(currentTarget.checked)}
        />
      ),
      width: "3rem",
      cell: ({ id, eventId }) => (
        <input
          type="checkbox"
          aria-label={`Choose ${eventId ?? id}`}
          checked={marked.has(id)}
          onChange={() => mark(id)}
        />
      ),
    },
  ];
}
