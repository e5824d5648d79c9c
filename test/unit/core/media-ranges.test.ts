import { expect, it } from "vitest";
import { chooseMediaType } from "../../../functions/core/media-ranges.ts";

const offered = ["application/json", "application/x-ndjson", "text/csv"] as const;

it.each([
  [undefined, "application/json"],
  ["", "application/json"],
  ["*/*", "application/json"],
  ["text/csv", "text/csv"],
  ["TEXT/CSV; charset=utf-8; header=present", "text/csv"],
  ["text/*", "text/csv"],
  ["application/*", "application/json"],
  ["application/x-ndjson, application/json;q=0.9", "application/x-ndjson"],
  ["application/json;q=0.8, text/csv ; q=0.9", "text/csv"],
  ["text/csv, application/json", "application/json"],
  ["application/json;q=0, */*", "application/x-ndjson"],
  ["*/*;q=0.1, application/*;q=0.5, application/json;q=0.2", "application/x-ndjson"],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"],
  ["text/html, */*;q=0", undefined],
  ["text/csv;q=0", undefined],
  ["application/pdf", undefined],
  ["csv", "application/json"],
  ["text/csv;q=2, application/x-ndjson", "application/x-ndjson"],
])("of Accept: %s the type is %s", (accept, type) => {
  expect(chooseMediaType(accept, offered)).toBe(type);
});
