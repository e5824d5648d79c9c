import { textOfMessage } from "../../../functions/core/message-text.ts";
import type { EventQueue } from "../../../functions/core/ports.ts";
import type { OutgoingMessage } from "../../../functions/core/queue-message.ts";
import type { RequestTrace } from "../../../functions/core/trace.ts";
import { createIngest, type IngestDeps } from "../../../functions/ingest/ingest.ts";
import { NO_REFUSALS } from "../../../functions/ingest/refusals.ts";
import { decode } from "../../../functions/ingest/protocols/events/decode.ts";
import { adminOf } from "../../support/principal.ts";
import { createNumbering, type NumberingDeps } from "../../../functions/ingest/number-events.ts";
import { catalog } from "./catalog.ts";

export const NOW = "2026-11-21T09:30:00.000Z";

/** An order that is valid by the catalog. */
export const order = (id: string, overrides: Record<string, unknown> = {}) => ({
  id,
  type: "com.example.order.placed",
  source: "/shop",
  data: { orderId: id, customerId: "c-1", currency: "EUR", items: [{ sku: "s", quantity: 1, unitAmount: 990 }] },
  ...overrides,
});

/** A queue in memory; `refuse` selects the messages that it does not confirm. */
export function memoryQueue(refuse: (message: OutgoingMessage, index: number) => boolean = () => false) {
  const enqueued: OutgoingMessage[] = [];
  const queue: EventQueue = {
    async send(messages) {
      return messages.map((message, index) => {
        if (refuse(message, index)) return "failed";
        enqueued.push({ ...message, body: textOfMessage(message.body).text });
        return "enqueued";
      });
    },
  };
  return { queue, enqueued, events: () => enqueued.flatMap(({ body }) => JSON.parse(body).events as { id: string }[]) };
}

/** The limiter of callers who have no limits. */
export const noLimits: IngestDeps["limiter"] = { takeEvents: async () => undefined };

/** The id of the first producer in tests. */
export const PRODUCER = "mi8mrls00-producer-01";

/** Numbers of one producer, whose notes nobody keeps. */
export const numbering = (overrides: Partial<NumberingDeps> = {}) =>
  createNumbering({
    notes: { write: () => Promise.resolve() },
    clock: () => new Date(NOW),
    newProducerId: () => PRODUCER,
    later: () => undefined,
    onFailure: (error) => {
      throw error;
    },
    ...overrides,
  });

/** Ingest in front of a queue, as a function of body and headers. */
export function ingestTo(queue: EventQueue, overrides: Partial<IngestDeps> = {}) {
  let generated = 0;
  const ingest = createIngest({
    queue,
    limiter: noLimits,
    refusals: NO_REFUSALS,
    numbering: numbering(),
    catalog,
    unknownTypes: "accept",
    unknownVersions: "refuse",
    retention: "400d",
    onSchemaFailure: ({ error }) => {
      throw error;
    },
    clock: () => new Date(NOW),
    newId: () => `generated-${++generated}`,
    ...overrides,
  });
  return async (
    body: unknown,
    headers: Record<string, string> = { "content-type": "application/json" },
    {
      validateOnly = false,
      inflated = false,
      repeatedHeaders = [] as string[],
      trace = undefined as RequestTrace | undefined,
    } = {},
  ) => {
    const bytes =
      typeof body === "string" || body instanceof Uint8Array
        ? Buffer.from(body as string)
        : Buffer.from(JSON.stringify(body));
    return ingest({
      principal: adminOf("default"),
      decode: () => decode({ headers, repeatedHeaders, body: bytes, inflated }),
      validateOnly,
      isWhole: false,
      deadline: Date.parse(NOW) + 5_000,
      requestId: "r-1",
      userAgent: undefined,
      trace,
    });
  };
}
