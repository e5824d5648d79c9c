import type { Route } from "./route.ts";
import { routes } from "./routes.ts";

const all = Object.values(routes).flatMap((ofFunction) => Object.values<Route>(ofFunction));

/** The methods of a route's path, as `Allow` names them; none for another path. Each route with GET has HEAD too. */
export function allowedMethods(path: string): string[] {
  const methods = all.filter((route) => route.path === path).map(({ method }) => method);
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
