import { filterMember } from "../../parts/typed-json.ts";

/** The fields of the form; each is text as it was typed. */
export type SubscriptionDraft = {
  name: string;
  filter: string;
  sinkType: "webhook" | "email" | "slack" | "sns" | "sqs";
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
