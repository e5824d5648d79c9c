import { DEFAULT_TENANT } from "../core/principal.ts";

/** Examples of events in the OpenAPI document, of verdicts about them and of their lists. */

export const orderData = {
  orderId: "order-1",
  customerId: "c-7",
  currency: "EUR",
  items: [{ sku: "tea", quantity: 2, unitAmount: 450 }],
};

export const order = { id: "order-1", type: "com.example.order.placed", source: "/shop", data: orderData };
export const reading = {
  id: "reading-1",
  type: "com.example.telemetry.reading",
  source: "/plant/7",
  time: "2026-11-21T09:30:00Z",
  data: { deviceId: "d-1", sensor: "boiler", value: 71.5, unit: "Cel" },
};
export const cloudEvent = { specversion: "1.0", ...order };

export const binaryModeHeaders = {
  "ce-specversion": cloudEvent.specversion,
  "ce-id": order.id,
  "ce-source": order.source,
  "ce-type": order.type,
};

export const missingCurrency = {
  index: 1,
  id: "order-2",
  status: "invalid",
  errors: [{ path: "/data/currency", code: "required", message: "is missing; expected string" }],
} as const;
export const accepted = { index: 0, id: order.id, status: "accepted" } as const;

export const stored = {
  specversion: "1.0",
  ...order,
  time: "2026-11-21T09:30:00.123Z",
  tenant: DEFAULT_TENANT,
  receivedat: "2026-11-21T09:30:00.123Z",
};

/** A cursor of no installation. */
export const exampleCursor = "c2x1aWNlLWV4YW1wbGUtY3Vyc29yLW9mLW5vLWluc3RhbGxhdGlvbg";

export const page = {
  events: [stored],
  next: exampleCursor,
  prev: null,
  complete: true,
  plan: "scan",
  scanned: { rows: 1 },
};

export const types = {
  types: [
    {
      type: order.type,
      versions: [
        {
          dataschema: "https://schemas.example.com/order-placed/1",
          link: "schemas/com.example.order.placed?dataschema=https%3A%2F%2Fschemas.example.com%2Forder-placed%2F1",
        },
      ],
    },
  ],
};
