import { type PriceName, prices } from "./prices.ts";

/** One counted amount and its price. */
export type BillPart = { what: string; amount: number; price: PriceName; dollars: number };

export function part(what: string, amount: number, price: PriceName): BillPart {
  const { dollars, per } = prices[price];
  return { what, amount, price, dollars: (amount * dollars) / per };
}
