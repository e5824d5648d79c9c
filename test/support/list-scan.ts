import type { ListScan } from "../../functions/core/list-reader.ts";

/** A scan of all events of a tenant, newest first. */
export const wholeScan = (tenant = "t"): ListScan => ({
  tenant,
  allowed: { types: undefined, sources: undefined },
  filter: undefined,
  ids: undefined,
  received: { from: undefined, to: undefined },
  produced: { from: undefined, to: undefined },
  isNewestFirst: true,
  horizon: undefined,
  after: undefined,
  maxEvents: 10,
  count: "none",
  budgetMs: 1_234.5,
});
