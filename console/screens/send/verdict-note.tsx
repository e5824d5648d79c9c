import type { Judged } from "./ask.ts";

type Props = { judged: (Judged & { isDry: boolean }) | undefined; isForm: boolean };

/** The verdict in a sentence. The errors stand at their fields. */
export function VerdictNote({ judged, isForm }: Props) {
  if (judged === undefined) return <div aria-live="polite" />;
  const { verdict, errors, isDry } = judged;
  if (errors.length > 0) {
    return (
      <div class="note bad" role="alert">
        <b>{errors.length === 1 ? "The event has an error" : `The event has ${errors.length} errors`}</b>, and nothing
        was sent.
        {isForm && (
          <ul class="faults">
            {errors.map(({ path, message }, index) => (
              <li key={index}>
                <button type="button" class="inline mono" onClick={() => focusField(path)}>
                  {path === "" ? "the event" : path}
                </button>{" "}
                {message}
              </li>
            ))}
          </ul>
        )}
      </div>
    );
  }
  if (verdict?.status === "retry") {
    return (
      <p class="note warn" role="status">
        The event is valid, but a limit is reached or the queue did not confirm it. Send it again.
      </p>
    );
  }
  if (!isDry) return <div aria-live="polite" />;
  return (
    <p class="note good" role="status">
      The event is valid
      {verdict?.unchecked === true ? "; its data is not checked, because the catalog has no schema for it" : ""}.
      Nothing was sent.
    </p>
  );
}

/** The field of a place, or the nearest one around it. */
function focusField(pointer: string): void {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const field = document.getElementsByName(at)[0];
    if (field !== undefined) return field.focus();
    if (at === "" || !at.includes("/")) return;
  }
}
