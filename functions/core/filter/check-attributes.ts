import { FILTER_TEXT_MAX_BYTES } from "../filter-limits.ts";
import { fitsUtf8 } from "../fits-utf8.ts";
import { EXTENSION_NAME_MAX_CHARACTERS, TIME_MAX_CHARACTERS } from "../limits.ts";
import { isJsonObject } from "../lossless-json.ts";
import { isInstant } from "./instant.ts";
import { countCondition, refuse, type Count, type Path } from "./refuse.ts";

/** Checks the values by attribute of the dialects exact, prefix and suffix. @throws RequestError `bad_filter` */
export function checkAttributes(
  dialect: "exact" | "prefix" | "suffix",
  value: unknown,
  path: Path,
  count: Count,
): void {
  if (!isJsonObject(value))
    return refuse(path, `must be an object of values by attribute, as in {"type": "com.example"}`);
  const entries = Object.entries(value);
  if (entries.length === 0) refuse(path, "is empty; name at least one attribute");
  for (const [name, operand] of entries) {
    const place = [...path, name];
    checkName(name, place);
    countCondition(count, place, 1);
    if (dialect === "exact") checkValue(name, operand, place);
    else checkText(operand, place);
  }
}

function checkName(name: string, path: Path): void {
  const reason = NOT_FILTERABLE.get(name);
  if (reason !== undefined) refuse(path, reason);
  if (!NAME.test(name)) {
    refuse(
      path,
      `is no attribute; extension attributes have 1 to ${EXTENSION_NAME_MAX_CHARACTERS} characters of a-z and 0-9`,
    );
  }
}

const NAME = new RegExp(`^[a-z0-9]{1,${EXTENSION_NAME_MAX_CHARACTERS}}$`);

const NOT_FILTERABLE: ReadonlyMap<string, string> = new Map([
  ["tenant", "cannot be filtered: a request sees the events of one tenant"],
  ["receivedat", "cannot be filtered; give the range with from and to"],
  ["specversion", "cannot be filtered: it is 1.0 in every event; leave it out"],
  ["data", 'is no attribute; compare data with the dialect data: {"data": {"key": ["value"]}}'],
  ["data_base64", "cannot be filtered: it is binary"],
]);

function checkValue(name: string, value: unknown, path: Path): void {
  if (typeof value === "boolean" || Number.isInteger(value)) {
    if (STANDARD.has(name)) refuse(path, "must be a text; this attribute is never a number or boolean");
    return;
  }
  checkText(value, path);
  if (name === "time" && !isInstant(value as string)) {
    refuse(
      path,
      `must be an RFC 3339 time with an offset and at most ${TIME_MAX_CHARACTERS} characters, for example 2026-11-21T09:30:00Z`,
    );
  }
}

/** Attributes of CloudEvents 1.0, which have texts only. */
const STANDARD: ReadonlySet<string> = new Set([
  "id",
  "source",
  "type",
  "subject",
  "time",
  "dataschema",
  "datacontenttype",
]);

function checkText(value: unknown, path: Path): void {
  if (typeof value !== "string") return refuse(path, "must be a text");
  if (value === "") refuse(path, "is empty, which no attribute is; leave it out");
  if (!fitsUtf8(value, FILTER_TEXT_MAX_BYTES))
    refuse(path, `has more than ${FILTER_TEXT_MAX_BYTES} bytes; use a prefix`);
}
