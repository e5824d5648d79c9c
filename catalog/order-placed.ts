import * as z from "zod";

export const type = "com.example.order.placed";
export const dataschema = "https://schemas.example.com/order-placed/1";

/** An order of a shop. Amounts are integers in the currency's minor unit (cents). */
export const data = z.object({
  orderId: z.string().min(1),
  customerId: z.string().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/, "expected an ISO 4217 code such as EUR"),
  items: z
    .array(
      z.object({
        sku: z.string().min(1),
        quantity: z.int().positive(),
        unitAmount: z.int().nonnegative(),
      }),
    )
    .min(1),
});
