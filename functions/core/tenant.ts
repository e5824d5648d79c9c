/** The one tenant until keys exist; every row, message and dead letter already carries it. */
export const DEFAULT_TENANT = "default";
