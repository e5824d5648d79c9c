import { plural } from "../../parts/format.ts";
import { Text } from "../../parts/text.tsx";
import { When } from "../../parts/when.tsx";
import type { ReplayPlan } from "../../types.ts";

/** The oldest dead letters that a job would take. */
export function Sample({ plan: { planned, sample } }: { plan: ReplayPlan }) {
  const title = planned > sample.length ? `The oldest ${sample.length} of them` : plural(planned, "dead letter");
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={title}>
      <table>
        <caption class="quiet">{title}</caption>
        <thead>
          <tr>
            <th scope="col">Event</th>
            <th scope="col">Type</th>
            <th scope="col">Open since</th>
          </tr>
        </thead>
        <tbody>
          {sample.map(({ id, eventId, type, openedAt }) => (
            <tr key={id}>
              <th scope="row">
                <Text value={eventId ?? "a whole message"} max={60} />
              </th>
              <td>
                <Text value={type ?? "–"} max={60} />
              </td>
              <td>
                <When at={openedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
