import { besideParameter } from "../core/beside-parameter.ts";
import type { Route } from "./route.ts";

/** Path to its methods, as `Allow` names them, whichever function answers them. */
export type AllowedMethods = Readonly<Record<string, readonly string[]>>;

/**
 * The methods of each path of a route table. A route with GET has HEAD too. A path beside a parameter (`/events/query`) has
 * the methods of the parameter's path (`/events/{id}`) as well.
 */
export function toAllowedMethods(routes: readonly Route[]): AllowedMethods {
  return Object.fromEntries(routes.map(({ path }) => [path, methodsOf(path, routes)]));
}

function methodsOf(path: string, routes: readonly Route[]): string[] {
  const own = routes.filter((route) => route.path === path);
  const hidden = routes.filter((route) => besideParameter(path, route.path) !== undefined);
  const methods = [...new Set([...own, ...hidden].map(({ method }) => method))];
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
