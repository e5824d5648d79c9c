import { filterMember, parseTyped } from "../../parts/typed-json.ts";
import type { WholeSubscription } from "../../types.ts";

const SINK_TYPES = ["webhook", "email", "slack", "sns", "sqs"] as const;

/** The fields of the form; each is text as it was typed. */
export type SubscriptionDraft = {
  name: string;
  filter: string;
  sinkType: (typeof SINK_TYPES)[number];
  /** A URL, addresses with commas, or an ARN, by the sink. */
  place: string;
  format: "structured" | "binary";
  from: string;
  order: "none" | "subject";
  schedule: "standard" | "doubling";
  batch: string;
  rate: string;
  timeoutMs: string;
};

/** The body of `POST /subscriptions`: what was left as it is by default is left out. @throws SyntaxError for a filter that is no JSON */
export function subscriptionBody(draft: SubscriptionDraft): Record<string, unknown> {
  const { name, filter, from, order, schedule } = draft;
  const numbers = (["batch", "rate", "timeoutMs"] as const)
    .filter((member) => draft[member].trim() !== "")
    .map((member) => [member, Number(draft[member])]);
  return {
    name: name.trim(),
    ...filterMember(filter),
    sink: sinkOf(draft),
    ...(from === "" ? {} : { from: new Date(from).toISOString() }),
    ...(order === "none" ? {} : { order }),
    ...(schedule === "standard" ? {} : { schedule }),
    ...Object.fromEntries(numbers),
  };
}

type Known = Pick<WholeSubscription, "name" | "sink" | "order" | "schedule" | "batch" | "rate" | "timeoutMs">;

/** The fields as a subscription has them. The place is empty: answers hide parts of it, so only another one can be sent. */
export function draftOf(
  { name, sink, order, schedule, batch, rate, timeoutMs }: Known,
  filter: string,
): SubscriptionDraft {
  return {
    name,
    filter,
    sinkType: SINK_TYPES.find((type) => type === sink.type) ?? "webhook",
    place: "",
    format: sink["format"] === "binary" ? "binary" : "structured",
    from: "",
    order,
    schedule,
    batch: String(batch),
    rate: rate === undefined ? "" : String(rate),
    timeoutMs: String(timeoutMs),
  };
}

/**
 * The body of `PUT /subscriptions/{id}`: the members that differ. A filter and a rate that are left empty are taken away.
 * @throws as subscriptionBody
 */
export function changesBody(before: SubscriptionDraft, draft: SubscriptionDraft): Record<string, unknown> {
  const differs = (member: keyof SubscriptionDraft) => draft[member].trim() !== before[member].trim();
  const changes: Record<string, unknown> = {};
  if (differs("name")) changes["name"] = draft.name.trim();
  if (differs("filter")) changes["filter"] = draft.filter.trim() === "" ? null : parseTyped(draft.filter);
  if (draft.place.trim() !== "") changes["sink"] = sinkOf(draft);
  for (const member of ["order", "schedule"] as const) if (differs(member)) changes[member] = draft[member];
  for (const member of ["batch", "rate", "timeoutMs"] as const)
    if (differs(member)) changes[member] = draft[member].trim() === "" ? null : Number(draft[member]);
  return changes;
}

function sinkOf({ sinkType, place, format }: SubscriptionDraft): Record<string, unknown> {
  const text = place.trim();
  switch (sinkType) {
    case "webhook":
      return { type: sinkType, url: text, ...(format === "structured" ? {} : { format }) };
    case "slack":
      return { type: sinkType, url: text };
    case "email":
      return { type: sinkType, to: text.split(/[\s,]+/).filter((address) => address !== "") };
    case "sns":
      return { type: sinkType, topicArn: text };
    case "sqs":
      return { type: sinkType, queueUrl: text };
  }
}

/** Says why a text is no filter; undefined where it may be one, which the API decides. */
export function filterFault(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}
