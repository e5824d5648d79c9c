import type { Clock } from "../core/ports.ts";
import type { QueueDepths } from "../core/queue-depths.ts";
import type { StatusAnswer } from "../core/status-answers.ts";

export type StatusDeps = {
  queues: QueueDepths;
  clock: Clock;
  installation: { stage: string; version: string; build: string };
};

/** Tells the state of the installation, of one tenant or of all (`*`). It never asks the database. */
export function createStatus({ queues, clock, installation }: StatusDeps) {
  return {
    async read(tenant: string, deadline: number): Promise<StatusAnswer> {
      const at = clock().toISOString();
      const depths = await part("SQS did not answer.", queues.read(deadline));
      return {
        at,
        ...installation,
        tenant,
        queues: "unavailable" in depths ? depths : { at, ...depths },
      };
    },
  };
}

/** A part that cannot be read does not fail the others. */
async function part<T>(fault: string, reading: Promise<T>): Promise<T | { unavailable: string }> {
  try {
    return await reading;
  } catch {
    return { unavailable: fault };
  }
}
