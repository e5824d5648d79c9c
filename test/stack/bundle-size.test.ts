import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FUNCTIONS, type FunctionName } from "../../functions/core/functions.ts";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";

/**
 * The largest size of each bundle in KiB, minified and without its source map: a twentieth above the present size. Every
 * 100 KiB are some 5 ms of a cold start. Raise a ceiling only for something that is worth that.
 */
const CEILINGS_KIB: Record<FunctionName, number> = {
  ingest: 350,
  consume: 350,
  query: 230,
  migrate: 230,
  "api-docs": 135,
};
const WITHOUT_SDK: ReadonlySet<FunctionName> = new Set(["api-docs"]);

const folder = mkdtempSync(join(tmpdir(), "sluice-size-"));
const bundleOf = (name: FunctionName) => join(folder, name, "index.js");
beforeAll(() => {
  for (const name of FUNCTIONS) buildHandler(name, join(folder, name), DEPLOYED);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the bundle", () => {
  it.each(FUNCTIONS)("of %s is not larger than its ceiling", (name) => {
    expect(statSync(bundleOf(name)).size / 1_024).toBeLessThanOrEqual(CEILINGS_KIB[name]);
  });

  it.each(FUNCTIONS)("of %s looks for credentials in the environment alone", (name) => {
    const code = readFileSync(bundleOf(name), "utf8");

    expect(code.includes("AWS_SECRET_ACCESS_KEY")).toBe(!WITHOUT_SDK.has(name));
    expect(
      ["sso_start_url", "web_identity_token_file", "credential_process"].filter((each) => code.includes(each)),
    ).toEqual([]);
  });
});
