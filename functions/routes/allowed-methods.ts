import type { Route } from "./route.ts";

/**
 * The methods of a route's path, as `Allow` names them; none for another path. Each route with GET has HEAD too. The route
 * table of every function is evaluated only here: an import that hardly a request needs would cost each cold start.
 */
export async function allowedMethods(path: string): Promise<string[]> {
  const { routes } = await import("./routes.ts");
  const all = Object.values(routes).flatMap((ofFunction) => Object.values<Route>(ofFunction));
  const methods = all.filter((route) => route.path === path).map(({ method }) => method);
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
