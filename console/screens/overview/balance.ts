import { plural } from "../../parts/format.ts";

/** The meaning of the difference of a ledger: it equals the events in flight, and is 0 at rest (docs/status.md). */
export function balanceOf({ difference, inFlight }: { difference: number; inFlight: number }): {
  tone: "good" | "" | "bad";
  says: string;
} {
  if (difference !== inFlight) {
    const wrong = Math.abs(difference - inFlight);
    const verb = difference > inFlight ? ["is in no count", "are in no count"] : ["counts twice", "count twice"];
    const fault = `${plural(wrong, "event")} ${wrong === 1 ? verb[0] : verb[1]}`;
    return {
      tone: "bad",
      says: `The ledger does not add up: ${fault}. This is a fault of Sluice; see the runbook, Ledger difference.`,
    };
  }
  if (difference === 0) return { tone: "good", says: "Every accepted event is accounted for." };
  return {
    tone: "",
    says: `${plural(inFlight, "event")} in flight: not in the database when the counts were taken. Every other one is accounted for.`,
  };
}
