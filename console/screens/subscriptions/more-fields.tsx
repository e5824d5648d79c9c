import type { SubscriptionDraft } from "./subscription-body.ts";

type Props = {
  draft: SubscriptionDraft;
  set: (changes: Partial<SubscriptionDraft>) => void;
  /** A subscription that is there has begun. */
  isNew?: boolean;
};

/** The fields that have a default: the place to begin, the order, the schedule and the bounds. */
export function MoreFields({ draft, set, isNew = true }: Props) {
  const number = (name: "batch" | "rate" | "timeoutMs", label: string, min: number, max: number) => (
    <label>
      {label}
      <input
        type="number"
        name={name}
        min={min}
        max={max}
        value={draft[name]}
        onInput={({ currentTarget: { value } }) => set({ [name]: value })}
      />
    </label>
  );
  return (
    <details open={!isNew}>
      <summary>{isNew && "Where it begins, "}order, schedule, rate</summary>
      <div class="stack inner">
        {isNew && (
          <label>
            Events received from; those stored from now on where it is empty
            <input
              type="datetime-local"
              step="1"
              value={draft.from}
              onInput={({ currentTarget: { value } }) => set({ from: value })}
            />
          </label>
        )}
        <label>
          Order
          <select
            value={draft.order}
            onChange={({ currentTarget: { value } }) => set({ order: value === "subject" ? "subject" : "none" })}
          >
            <option value="none">none: as fast as possible</option>
            <option value="subject">events of a subject one after another</option>
          </select>
        </label>
        <label>
          Schedule
          <select
            value={draft.schedule}
            onChange={({ currentTarget: { value } }) =>
              set({ schedule: value === "doubling" ? "doubling" : "standard" })
            }
          >
            <option value="standard">standard: 10 tries in 75 h</option>
            <option value="doubling">doubling: twice the wait each time</option>
          </select>
        </label>
        <div class="grid">
          {number("batch", "Events of a request, at most", 1, 100)}
          {number("rate", "Events a second", 1, 10_000)}
          {number("timeoutMs", "Timeout in milliseconds", 1_000, 30_000)}
        </div>
      </div>
    </details>
  );
}
