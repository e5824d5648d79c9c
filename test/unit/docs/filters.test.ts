import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  FILTER_LIST_MAX_ITEMS,
  FILTER_MAX_ALTERNATIVES,
  FILTER_MAX_BYTES,
  FILTER_MAX_CONDITIONS,
  FILTER_MAX_DEPTH,
  FILTER_MAX_PATH_STEPS,
  FILTER_MAX_VALUES,
  FILTER_TEXT_MAX_BYTES,
} from "../../../functions/core/filter-limits.ts";
import { explain } from "../../../functions/core/filter/explain.ts";
import { parseFilter } from "../../../functions/core/filter/filter.ts";
import { filterFromParameters } from "../../../functions/core/filter/from-parameters.ts";
import { KIB } from "../../../functions/core/limits.ts";
import { dataMatches, faultOf, json } from "../core/filter/support.ts";

const document = readFileSync("docs/filters.md", "utf8");
const [conditions = ""] = /\| Condition \|[^]*?\n\n/.exec(document) ?? [];
const [parameters = ""] = /\| Parameter \|[^]*?\n\n/.exec(document) ?? [];
const blocks = [...document.matchAll(/```json\n([^]*?)```/g)].map(([, text = ""]) => json(text));

describe("docs/filters.md", () => {
  it("docs/filters.md gives filters that are valid", () => {
    const filters = blocks.filter(
      (block) =>
        !Array.isArray(block) && !Object.hasOwn(block as object, "items") && !Object.hasOwn(block as object, "code"),
    );

    expect(filters).toHaveLength(3);
    expect(filters.map(faultOf)).toEqual(filters.map(() => undefined));
  });

  it("docs/filters.md gives conditions that are valid", () => {
    const examples = [...conditions.matchAll(/`(\{".*?\})`/g)]
      .map(([, text = ""]) => text)
      .filter((text) => !text.includes("X"));

    expect(examples.length).toBeGreaterThan(10);
    for (const example of examples) expect(faultOf({ data: [json(example)] }), example).toBeUndefined();
  });

  it("docs/filters.md gives the filters that parameters are", () => {
    const rows = [...parameters.matchAll(/^\| `([^`]+)`.*?\| `(\{[^`]+\})`/gm)];

    expect(rows).toHaveLength(5);
    for (const [, query = "", filter = ""] of rows) {
      expect(filterFromParameters([...new URLSearchParams(query)]), query).toEqual(json(filter));
    }
  });

  it("docs/filters.md says of its array what matches it", () => {
    const array = blocks.find((block) => Object.hasOwn(block as object, "items"));
    const [matching, other] = [...document.matchAll(/`(\{"items": .*?\]\}\})`/g)].map(([, text = ""]) => json(text));

    expect([dataMatches(matching, array), dataMatches(other, array)]).toEqual([true, false]);
  });

  it("docs/filters.md gives the error and the explanation that the code gives", () => {
    const [error] = blocks.filter((block) => Object.hasOwn(block as object, "code")) as {
      pointer: string;
      detail: string;
    }[];
    const [filter] = blocks;
    const event = { type: "com.example.invoice", data: { total: 100, customer: { country: "DE" } } };

    expect(faultOf({ data: { total: 5 } })).toEqual({ pointer: error?.pointer, detail: error?.detail });
    expect(explain(parseFilter(filter), event)).toEqual(blocks.at(-1));
  });

  it.each([
    `| ${FILTER_MAX_BYTES / KIB} KiB of JSON |`,
    `| Conditions: attributes, and paths of data | ${FILTER_MAX_CONDITIONS} |`,
    `| Values in all lists of conditions | ${FILTER_MAX_VALUES} |`,
    `| Levels of \`all\`, \`any\` and \`not\` | ${FILTER_MAX_DEPTH} |`,
    `| Keys of a path of data | ${FILTER_MAX_PATH_STEPS} |`,
    `| One text or key | ${FILTER_TEXT_MAX_BYTES.toLocaleString("en")} bytes |`,
    `| Items of one list | ${FILTER_LIST_MAX_ITEMS} |`,
    `| Combinations of the patterns of \`$or\` | ${FILTER_MAX_ALTERNATIVES} |`,
  ])("docs/filters.md gives the limit of the code: %s", (row) => {
    expect(document).toContain(row);
  });
});
