import { setTimeout as delay } from "node:timers/promises";
import type { Hit, Order } from "./failpoints.ts";
import type { FaultStack } from "./fault-stack.ts";

/** Decides at every failpoint of the consumer; ingest goes on. */
export function orderConsumer({ failpoints }: FaultStack, decide: (hit: Hit) => Order | Promise<Order>): void {
  failpoints.order((hit) => (hit.functionName === "consume" ? decide(hit) : "go"));
}

/** Waits until a batch stands at the point, where it stays until there is an order; all others go on. */
export function batchHeldAt(stack: FaultStack, point: string, order: Promise<Order>): Promise<void> {
  return new Promise((resolve) => {
    let isHeld = false;
    orderConsumer(stack, (hit) => {
      if (hit.point !== point || isHeld) return "go";
      isHeld = true;
      resolve();
      return order;
    });
  });
}

/** Stops a process as Lambda freezes one, and lets it go on after so long. */
export async function freeze(pid: number, milliseconds: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await delay(milliseconds);
  process.kill(pid, "SIGCONT");
}
