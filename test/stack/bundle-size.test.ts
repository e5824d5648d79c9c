import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FUNCTIONS, type FunctionName } from "../../functions/core/functions.ts";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";
import { EXPECTED_FUNCTIONS } from "./expected-functions.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-size-"));
const bundleOf = (name: FunctionName) => join(folder, name, "index.js");
beforeAll(() => {
  for (const name of FUNCTIONS) buildHandler(name, join(folder, name), DEPLOYED);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the bundle", () => {
  it.each(FUNCTIONS)("the bundle of %s is not larger than its ceiling", (name) => {
    expect(statSync(bundleOf(name)).size / 1_024).toBeLessThanOrEqual(EXPECTED_FUNCTIONS[name].ceilingKib);
  });

  it.each(FUNCTIONS)("the bundle of %s looks for credentials in the environment alone", (name) => {
    const code = readFileSync(bundleOf(name), "utf8");

    expect(code.includes("AWS_SECRET_ACCESS_KEY")).toBe(EXPECTED_FUNCTIONS[name].actions.length > 0);
    expect(
      ["sso_start_url", "web_identity_token_file", "credential_process"].filter((each) => code.includes(each)),
    ).toEqual([]);
  });
});
