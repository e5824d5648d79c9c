import { catalog } from "../../../functions/adapters/catalog/catalog.ts";
import type { EventQueue } from "../../../functions/core/ports.ts";
import type { OutgoingMessage } from "../../../functions/core/queue-message.ts";
import { createIngest, type IngestDeps } from "../../../functions/ingest/ingest.ts";

export const NOW = "2026-11-21T09:30:00.000Z";

/** An order as the catalog wants it. */
export const order = (id: string, overrides: Record<string, unknown> = {}) => ({
  id,
  type: "com.example.order.placed",
  source: "/shop",
  data: { orderId: id, customerId: "c-1", currency: "EUR", items: [{ sku: "s", quantity: 1, unitAmount: 990 }] },
  ...overrides,
});

/** A queue in memory; `refuse` says which messages it does not confirm. */
export function memoryQueue(refuse: (message: OutgoingMessage, index: number) => boolean = () => false) {
  const stored: OutgoingMessage[] = [];
  const queue: EventQueue = {
    async send(messages) {
      return messages.map((message, index) => {
        if (refuse(message, index)) return "failed";
        stored.push(message);
        return "enqueued";
      });
    },
  };
  return { queue, stored, events: () => stored.flatMap(({ body }) => JSON.parse(body).events as { id: string }[]) };
}

export function door(queue: EventQueue, overrides: Partial<IngestDeps> = {}) {
  let made = 0;
  const ingest = createIngest({
    queue,
    catalog,
    unknownTypes: "accept",
    clock: () => new Date(NOW),
    newId: () => `made-${++made}`,
    ...overrides,
  });
  return (
    body: unknown,
    headers: Record<string, string> = { "content-type": "application/json" },
    validateOnly = false,
  ) =>
    ingest({
      tenant: "default",
      headers,
      inflated: false,
      validateOnly,
      body:
        typeof body === "string" || body instanceof Uint8Array
          ? Buffer.from(body as string)
          : Buffer.from(JSON.stringify(body)),
      deadline: Date.parse(NOW) + 5_000,
    });
}
