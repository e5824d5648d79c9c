import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openApi } from "../../../functions/api-docs/openapi.ts";

describe("generated files", () => {
  it.each([["docs/openapi.json", () => `${JSON.stringify(openApi(), null, 2)}\n`]])(
    "%s equals its generated content",
    (file, generate) => {
      expect(readFileSync(file, "utf8"), `${file} is not up to date. Run: npm run generate`).toBe(generate());
    },
  );
});
