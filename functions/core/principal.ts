/** The caller of a request. */
export type Principal = {
  /** The tenant whose events the caller sends and reads. */
  tenant: string;
};

/** The caller of a public route. Every row, message and dead letter names this one tenant until there are keys. */
export const PUBLIC_PRINCIPAL: Principal = { tenant: "default" };
