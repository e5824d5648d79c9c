import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withRouteTable } from "../../../scripts/route-table.ts";
import { openApi } from "../../../functions/api-docs/openapi.ts";

describe("generated files", () => {
  it.each([
    ["docs/openapi.json", () => `${JSON.stringify(openApi(), null, 2)}\n`],
    ["README.md", withRouteTable],
  ])("%s is up to date", (file, generate) => {
    const text = readFileSync(file, "utf8");

    expect(text, `${file} is not up to date. Run: npm run generate`).toBe(generate(text));
  });
});
