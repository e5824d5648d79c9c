import { DatabaseError, RequestError } from "../../core/errors.ts";

/** The SQLSTATE of take_query_slot for a tenant that has as many queries under way as it may have. */
const NO_SLOT = "SL429";

/**
 * The source of a statement that calls a function for `:tenant` while the tenant has fewer than so many queries under way. The
 * slot is a lock that ends with the statement. Without a number the tenant may have any.
 */
export function inSlot(maxOfTenant: number | undefined, call: (tenant: string) => string): string {
  return maxOfTenant === undefined
    ? call(":tenant")
    : `take_query_slot(:tenant, ${maxOfTenant}) as held (tenant) cross join lateral ${call("held.tenant")}`;
}

/** @throws RequestError `too_many_queries` for an error of a tenant without a free slot; else the error itself */
export function refuseWithoutSlot(error: unknown): never {
  if (error instanceof DatabaseError && error.sqlState === NO_SLOT) {
    const detail = "Other queries of the tenant are under way. Ask again after Retry-After, and with fewer at once.";
    throw new RequestError("too_many_queries", detail, { cause: error });
  }
  throw error;
}
