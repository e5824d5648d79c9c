import { type AllowedMethods, toAllowedMethods } from "../functions/routes/allowed-methods.ts";
import type { Route } from "../functions/routes/route.ts";
import { routes } from "../functions/routes/routes.ts";

/** The module `#allowed-methods` of programs that run from the sources; a bundle has its own (lib/bundle.ts). */
export const allowedMethods: AllowedMethods = toAllowedMethods(
  Object.values(routes).flatMap((ofFunction) => Object.values<Route>(ofFunction)),
);
