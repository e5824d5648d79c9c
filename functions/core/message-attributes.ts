import { readEventMembers } from "./event-members.ts";
import type { Notice } from "./notifier.ts";
import { replaceForSqs } from "./sqs-text.ts";

type MessageAttribute = { DataType: "String"; StringValue: string };

/** `type`, `source` and `id` of a notice of one event, for the filters of its receivers. */
export function messageAttributes({ deliveries }: Pick<Notice, "deliveries">): Record<string, MessageAttribute> {
  const [first, ...others] = deliveries;
  if (first === undefined || others.length > 0) return {};
  const { attributes } = readEventMembers(first.event);
  return Object.fromEntries(
    ["type", "source", "id"].map((name) => [
      name,
      { DataType: "String", StringValue: replaceForSqs(attributes.get(name) ?? "") },
    ]),
  );
}
