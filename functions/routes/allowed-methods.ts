import { besideParameter } from "../core/beside-parameter.ts";
import type { Route } from "./route.ts";

/**
 * The methods of a route's path, as `Allow` names them; none for another path. Each route with GET has HEAD too. A path
 * beside a parameter (`/events/query`) has the methods of the parameter's path (`/events/{id}`) as well. The route table of
 * every function is evaluated only here: an import that hardly a request needs would cost each cold start.
 */
export async function allowedMethods(path: string): Promise<string[]> {
  const { routes } = await import("./routes.ts");
  const all = Object.values(routes).flatMap((ofFunction) => Object.values<Route>(ofFunction));
  const own = all.filter((route) => route.path === path);
  const hidden = own.length === 0 ? [] : all.filter((route) => besideParameter(path, route.path) !== undefined);
  const methods = [...new Set([...own, ...hidden].map(({ method }) => method))];
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
