/**
 * The parameter and its value where a path is one of those that another path with a parameter at its end has: `/events/query`
 * is `/events/{id}` with the id `query`. API Gateway prefers the path without a parameter, also for a method that only the
 * other one has, which would make that one value unreachable.
 */
export function besideParameter(path: string, parameterPath: string): { name: string; value: string } | undefined {
  const [, beginning, name] = /^(.*\/)\{(\w+)\}$/.exec(parameterPath) ?? [];
  if (beginning === undefined || name === undefined || !path.startsWith(beginning)) return undefined;
  const value = path.slice(beginning.length);
  return /^[^/{}]+$/.test(value) ? { name, value } : undefined;
}
