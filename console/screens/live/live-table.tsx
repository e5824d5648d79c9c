import { useMemo } from "preact/hooks";
import { eventLink } from "../../parts/event-link.ts";
import { plural, time } from "../../parts/format.ts";
import { Text } from "../../parts/text.tsx";
import type { LiveRow } from "./rows.ts";

/** The newest events first. */
export function LiveTable({ rows }: { rows: readonly LiveRow[] }) {
  return (
    <div class="table live" role="region" aria-label="Events, newest first" tabIndex={0}>
      <table>
        <colgroup>
          <col class="col-time" />
          <col />
          <col class="wide" />
          <col class="wide" />
          <col />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">Received</th>
            <th scope="col">Type</th>
            <th scope="col" class="wide">
              Source
            </th>
            <th scope="col" class="wide">
              Subject
            </th>
            <th scope="col">Id</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.key} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A row never changes, but for the number of those that were skipped; what was drawn is not drawn again. */
function Row({ row }: { row: LiveRow }) {
  return useMemo(() => draw(row), [row]);
}

function draw(row: LiveRow) {
  if (row.kind === "skipped") {
    return (
      <tr class="skipped">
        <td colSpan={3}>{plural(row.count, "event")} skipped</td>
        <td colSpan={2} class="wide">
          more came than can be read
        </td>
      </tr>
    );
  }
  const { type, source, subject, id, receivedat } = row.event;
  return (
    <tr>
      <td>
        <time dateTime={text(receivedat)}>{time(text(receivedat), { millis: true }).slice(11)}</time>
      </td>
      <td>
        <Text value={text(type)} max={100} />
      </td>
      <td class="wide">
        <Text value={text(source)} max={100} />
      </td>
      <td class="wide">
        <Text value={text(subject)} max={100} />
      </td>
      <td>
        <a href={eventLink(text(id), text(source))}>
          <Text value={text(id)} max={100} />
        </a>
      </td>
    </tr>
  );
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
