import { explain } from "../../functions/core/filter/explain.ts";
import { filterFromParameters, isFilterParameter } from "../../functions/core/filter/from-parameters.ts";
import { toMicroseconds } from "../../functions/core/instant.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import type { ApiClient } from "../access/api-client.ts";
import type { Parameters } from "./pages.ts";

/**
 * The reasons for which one stored event is not in a list, a line each; none where it is. A condition is named by its JSON
 * Pointer into the filter (docs/filters.md).
 * @throws ApiError where there is no such event, or several sources used the id; RequestError for conditions that are wrong
 */
export async function explainEvent(
  api: Pick<ApiClient, "callText">,
  { id, parameters, tenant }: { id: string; parameters: Parameters; tenant: string | undefined },
): Promise<string[]> {
  const [source, ...otherSources] = [parameters["source"] ?? []].flat();
  const isWhole = source !== undefined && otherSources.length === 0 && !source.endsWith("*");
  const text = await api.callText({
    method: "GET",
    path: `/events/${encodeURIComponent(id)}`,
    query: isWhole ? { source } : {},
    tenant,
  });
  const event = parseLossless(text).lossless as Record<string, unknown>;
  const filter = filterFromParameters(
    Object.entries(parameters).flatMap(([name, values]) =>
      isFilterParameter(name) ? [values ?? []].flat().map((value) => [name, value] as const) : [],
    ),
  );
  const reasons = filter === undefined ? [] : explain(filter, event);
  return [
    ...outside("received", event["receivedat"], parameters["from"], parameters["to"]),
    ...outside("time", event["time"], parameters["timeFrom"], parameters["timeTo"]),
    ...reasons.map(({ pointer, message }) => `${pointer}: ${message}`),
  ];
}

/** The reason for which a time is outside of a range that the options name. @throws Error for an option that is no time */
function outside(what: string, time: unknown, from: Parameters[string], to: Parameters[string]): string[] {
  const at = instant(String(time));
  if (typeof from === "string" && at < instant(from)) return [`${what}: ${String(time)} is before ${from}`];
  if (typeof to === "string" && at >= instant(to)) return [`${what}: ${String(time)} is not before ${to}`];
  return [];
}

/** In a form that is compared as text. */
function instant(text: string): string {
  const found = toMicroseconds(text);
  if (found === undefined) throw new Error(`${text} is no time of RFC 3339, for example 2026-11-21T09:30:00Z.`);
  return found;
}
