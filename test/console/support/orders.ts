export const ORDER_PLACED = "com.example.order.placed";

/** An order of a shop, as the catalog describes it. */
export function order(id: string, changes: Record<string, unknown> = {}) {
  const { data, ...attributes } = changes;
  return {
    id,
    source: "/shop",
    type: ORDER_PLACED,
    dataschema: "https://schemas.example.com/order-placed/1",
    subject: "customer-7",
    ...attributes,
    data: {
      orderId: id,
      customerId: "customer-7",
      currency: "EUR",
      items: [{ sku: "tea-1", quantity: 2, unitAmount: 450 }],
      ...(data as object | undefined),
    },
  };
}
