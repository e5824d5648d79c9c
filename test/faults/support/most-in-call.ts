import type { Hit } from "./failpoint-server.ts";

/** The most consumers that were in a call of the database at the same time, by the places they reached. */
export function mostInCall(hits: readonly Hit[]): number {
  const inCall = new Set<number>();
  let most = 0;
  for (const { stage, point, pid } of hits) {
    if (stage !== "consume") continue;
    if (point === "beforeStore") inCall.add(pid);
    else inCall.delete(pid);
    most = Math.max(most, inCall.size);
  }
  return most;
}
