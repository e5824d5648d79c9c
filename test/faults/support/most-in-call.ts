import type { Hit } from "./failpoints.ts";

/** The most consumers that were in a call of the database at the same time, by the places they reached. */
export function mostInCall(hits: readonly Hit[]): number {
  const inCall = new Set<number>();
  let most = 0;
  for (const { functionName, point, pid } of hits) {
    if (functionName !== "consume") continue;
    if (point === "beforeStore") inCall.add(pid);
    else inCall.delete(pid);
    most = Math.max(most, inCall.size);
  }
  return most;
}
