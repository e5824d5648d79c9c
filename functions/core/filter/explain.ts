import { jsonPointer } from "../json-pointer.ts";
import { toAlternatives } from "./alternatives.ts";
import { attributeTest, attributeText } from "./attribute-test.ts";
import { explainPart } from "./explain-part.ts";
import type { Filter } from "./filter.ts";
import { toPredicate, type FilterableEvent } from "./predicate.ts";
import { quote, type Reason } from "./reason.ts";
import type { Path } from "./refuse.ts";

/**
 * Explains why an event does not match a filter: the parts of the filter that would have to hold and do not. No reasons for
 * an event that matches.
 */
export function explain(filter: Filter, event: FilterableEvent): Reason[] {
  return explainAt(filter, event, []);
}

function explainAt(filter: Filter, event: FilterableEvent, path: Path): Reason[] {
  if (toPredicate(filter)(event)) return [];
  if ("exact" in filter) return attributes("exact", filter.exact, event, path);
  if ("prefix" in filter) return attributes("prefix", filter.prefix, event, path);
  if ("suffix" in filter) return attributes("suffix", filter.suffix, event, path);
  if ("all" in filter) return filter.all.flatMap((each, i) => explainAt(each, event, [...path, "all", i]));
  if ("not" in filter) return [{ pointer: jsonPointer([...path, "not"]), message: "matches, and must not" }];
  if ("any" in filter) {
    const reason = {
      pointer: jsonPointer([...path, "any"]),
      message: `none of the ${filter.any.length} filters matches`,
    };
    return [reason, ...filter.any.flatMap((each, i) => explainAt(each, event, [...path, "any", i]))];
  }
  return data(filter, event, [...path, "data"]);
}

function attributes(
  dialect: "exact" | "prefix" | "suffix",
  values: Record<string, string | number | boolean>,
  event: FilterableEvent,
  path: Path,
): Reason[] {
  return Object.entries(values)
    .filter(([name, value]) => !attributeTest(dialect, name, value)(event))
    .map(([name, value]) => {
      const seen = attributeText(event, name);
      const has = seen === undefined ? "the event does not have it" : `the event has ${quote(seen)}`;
      return {
        pointer: jsonPointer([...path, dialect, name]),
        message: `must ${MUST[dialect]} ${quote(String(value))}; ${has}`,
      };
    });
}

const MUST = { exact: "be", prefix: "begin with", suffix: "end with" };

/** Of several alternatives the one that lacks least. */
function data(filter: Extract<Filter, { data: unknown }>, event: FilterableEvent, path: Path): Reason[] {
  const all = toAlternatives(filter.data, path).map((node) => explainPart(node, [event["data"]]));
  const closest = all.reduce((best, reasons) => (reasons.length < best.length ? reasons : best));
  if (all.length === 1) return closest;
  return [
    {
      pointer: jsonPointer(path),
      message: `none of the ${all.length} alternatives of $or matches; the closest lacks:`,
    },
    ...closest,
  ];
}
