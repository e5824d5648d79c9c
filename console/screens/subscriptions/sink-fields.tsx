import type { SubscriptionDraft } from "./subscription-body.ts";

type Props = { draft: SubscriptionDraft; set: (changes: Partial<SubscriptionDraft>) => void };

const SINKS = [
  { type: "webhook", title: "Webhook", label: "URL", placeholder: "https://hooks.example.com/orders" },
  { type: "email", title: "E-mail", label: "Addresses, with commas", placeholder: "ops@example.com" },
  {
    type: "slack",
    title: "Chat (Slack's incoming webhook)",
    label: "URL",
    placeholder: "https://hooks.slack.com/services/…",
  },
  { type: "sns", title: "SNS topic", label: "ARN", placeholder: "arn:aws:sns:…" },
  { type: "sqs", title: "SQS queue", label: "URL", placeholder: "https://sqs.…" },
] as const;

/** The kind of sink, and its place. */
export function SinkFields({ draft, set }: Props) {
  return (
    <>
      <label>
        Sink
        <select
          value={draft.sinkType}
          onChange={({ currentTarget: { selectedIndex } }) =>
            set({ sinkType: SINKS[selectedIndex]?.type ?? "webhook" })
          }
        >
          {SINKS.map(({ type, title }) => (
            <option key={type} value={type}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <PlaceFields draft={draft} set={set} />
    </>
  );
}

/** The place of a sink of one kind. `kept` is the one that stays where none is given. */
export function PlaceFields({ draft, set, kept }: Props & { kept?: string }) {
  const sink = SINKS.find(({ type }) => type === draft.sinkType) ?? SINKS[0];
  return (
    <>
      <label>
        {kept === undefined ? sink.label : `Another place: ${sink.label}; ${kept} stays where it is empty`}
        <input
          name="place"
          required={kept === undefined}
          spellcheck={false}
          placeholder={sink.placeholder}
          value={draft.place}
          onInput={({ currentTarget: { value } }) => set({ place: value })}
        />
      </label>
      {draft.sinkType === "webhook" && (kept === undefined || draft.place.trim() !== "") && (
        <label>
          Format
          <select
            value={draft.format}
            onChange={({ currentTarget: { value } }) => set({ format: value === "binary" ? "binary" : "structured" })}
          >
            <option value="structured">structured: the event as JSON</option>
            <option value="binary">binary: its data, attributes as headers</option>
          </select>
        </label>
      )}
    </>
  );
}
