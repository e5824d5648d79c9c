import { ago, time } from "./format.ts";

/** A time as its age; the time itself is its title. */
export function When({ at }: { at: string | null | undefined }) {
  if (at === undefined || at === null) return <span class="quiet">–</span>;
  return (
    <time dateTime={at} title={time(at, { millis: true })}>
      {ago(at)}
    </time>
  );
}
