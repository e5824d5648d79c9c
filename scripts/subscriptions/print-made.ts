import { printable } from "../../cli/printable.ts";
import { print, printJson } from "../access/output.ts";
import type { MadeSubscription, Subscription } from "./subscriptions-api.ts";

type Json = { json?: true };

/** Prints a new subscription. Its secret alone is on stdout, or its id where it has none, so that it can be piped. */
export function printMade(made: MadeSubscription, { json }: Json): void {
  if (json) return printJson(made);
  print(made.secret ?? made.id);
  process.stderr.write(`Subscription ${made.id}${keysText(made)}\n${matchesText(made)}\n`);
}

/** Prints the new secret alone on stdout. */
export function printRotated(
  rotated: Subscription & { secret?: string | undefined; publicKey?: string | undefined },
  { json }: Json,
): void {
  if (json) return printJson(rotated);
  print(rotated.secret ?? "");
  process.stderr.write(`Another secret of ${rotated.id}${keysText(rotated)}\n`);
}

/** The matches of a new subscription, and its warning, for people. */
export function matchesText({ matches, warning }: Pick<MadeSubscription, "matches" | "warning">): string {
  const least = matches.complete ? "" : "at least ";
  const lines = [
    `In the last day ${least}${matches.count === 1 ? "1 event matches" : `${matches.count} events match`}`,
  ];
  for (const { type, source, id } of matches.events)
    lines.push(printable(`  ${[type, source, id].map(String).join(" ")}`));
  if (warning !== undefined) lines.push(`Warning: ${warning}`);
  return lines.join("\n");
}

const keysText = ({ secret, publicKey }: { secret?: string | undefined; publicKey?: string | undefined }) =>
  secret === undefined
    ? ""
    : `. The secret is shown this once${publicKey === undefined ? "" : `; its public key is ${publicKey}`}`;
