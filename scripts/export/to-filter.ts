import { type Filter, parseFilter } from "../../functions/core/filter/filter.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";

export type FilterOptions = { type?: string[]; source?: string[]; filter?: string };

/**
 * The filter that options mean: one of the types, and one of the sources, and the filter itself, whose numbers keep their
 * digits. Undefined where there are none.
 * @throws Error that names the option
 */
export function toFilter({ type, source, filter }: FilterOptions): Filter | undefined {
  const parts = [anyOf("type", type), anyOf("source", source), filter === undefined ? undefined : parse(filter)];
  const given = parts.filter((part) => part !== undefined);
  return given.length > 1 ? { all: given } : given[0];
}

/** Texts in full, or as `com.example.*`. */
function anyOf(attribute: string, texts: readonly string[] | undefined): Filter | undefined {
  const each = texts?.map((text) =>
    text.endsWith("*") ? { prefix: { [attribute]: text.slice(0, -1) } } : { exact: { [attribute]: text } },
  );
  return each === undefined || each.length > 1 ? each && { any: each } : each[0];
}

function parse(text: string): Filter {
  let value: unknown;
  try {
    value = parseLossless(text).lossless;
  } catch {
    throw new Error(`--filter takes a filter as JSON, such as '{"exact":{"type":"com.example.order.placed"}}'.`);
  }
  return parseFilter(value);
}
