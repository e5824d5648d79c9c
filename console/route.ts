import { signal } from "@preact/signals";

/**
 * The address of what the page shows, in the fragment: `#/events/ID?type=a&from=…`. A fragment is never sent to a server, so
 * the values of filters are in no log of one.
 */
export type Route = {
  /** The name of the screen; empty for the first one. */
  screen: string;
  /** The parts of the path behind it, decoded: the id of what is open. */
  path: readonly string[];
  params: URLSearchParams;
};

/** The parameter that names the tenant, which every link of the page keeps. */
export const TENANT_PARAMETER = "tenant";

export function parseRoute(fragment: string): Route {
  const text = fragment.replace(/^#?\/?/, "");
  const mark = text.indexOf("?");
  const [screen = "", ...path] = (mark === -1 ? text : text.slice(0, mark)).split("/").map(decode);
  return {
    screen,
    path: path.filter((part) => part !== ""),
    params: new URLSearchParams(mark === -1 ? "" : text.slice(mark)),
  };
}

export function writeRoute({ screen, path = [], params }: Partial<Route> & { screen: string }): string {
  const query = params?.toString() ?? "";
  return `#/${[screen, ...path].map(encodeURIComponent).join("/")}${query === "" ? "" : `?${query}`}`;
}

/** The address of the page now. Only navigation changes it. */
export const route = signal<Route>({ screen: "", path: [], params: new URLSearchParams() });

/** Follows the fragment from now on. @returns the function that ends it */
export function followFragment(): () => void {
  const read = () => {
    route.value = parseRoute(location.hash);
  };
  read();
  addEventListener("hashchange", read);
  return () => removeEventListener("hashchange", read);
}

/** Parameters as pairs, an object, or text; a parameter that is undefined or empty is left out. */
export type Params = URLSearchParams | Readonly<Record<string, string | readonly string[] | undefined>>;

export function toParams(params: Params): URLSearchParams {
  if (params instanceof URLSearchParams) return new URLSearchParams(params);
  const pairs = Object.entries(params).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((each) => (each === "" ? [] : [[name, each]])),
  );
  return new URLSearchParams(pairs);
}

/** The address of a screen, for a link. It keeps the tenant. */
export function link(screen: string, params: Params = {}, path: readonly string[] = []): string {
  const all = toParams(params);
  const tenant = route.value.params.get(TENANT_PARAMETER);
  if (tenant !== null && !all.has(TENANT_PARAMETER)) all.set(TENANT_PARAMETER, tenant);
  return writeRoute({ screen, path, params: all });
}

/** Goes to a screen. `replace` leaves no entry in the history, for what the user did not ask for. */
export function navigate(
  screen: string,
  params: Params = {},
  { path = [], replace = false }: { path?: readonly string[]; replace?: boolean } = {},
): void {
  const address = link(screen, params, path);
  if (address === location.hash) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  route.value = parseRoute(address);
}

/** Sets parameters of the screen that is shown and keeps the others; undefined takes one out. */
export function setParams(
  changes: Readonly<Record<string, string | readonly string[] | undefined>>,
  replace = false,
): void {
  const { screen, path, params } = route.value;
  const next = new URLSearchParams(params);
  for (const name of Object.keys(changes)) next.delete(name);
  for (const [name, value] of toParams(changes)) next.append(name, value);
  navigate(screen, next, { path, replace });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
