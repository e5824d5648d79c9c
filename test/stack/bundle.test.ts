import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FUNCTIONS, type FunctionName } from "../../functions/core/functions.ts";
import { type HttpFunction, routes } from "../../functions/routes/routes.ts";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";
import { EXPECTED_FUNCTIONS } from "./expected-functions.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-size-"));
const bundleOf = (name: FunctionName) => join(folder, name, "index.js");
beforeAll(() => {
  for (const name of FUNCTIONS) buildHandler(name, join(folder, name), DEPLOYED);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files whose code is in a bundle, by its map. */
const sourcesOf = (name: FunctionName) =>
  (JSON.parse(readFileSync(`${bundleOf(name)}.map`, "utf8")) as { sources: string[] }).sources;

/** The functions that answer requests; api-docs documents the routes of all. */
const ANSWERING = (Object.keys(routes) as HttpFunction[]).filter((name) => name !== "api-docs");

const TRACES = ["FAILPOINT", "beforeSend", "afterStore", "beforeAnswer", "Ordered by the fault test", "FAILPOINTS_URL"];

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

  it.each(FUNCTIONS)("the bundle of %s has no code for event streams", (name) => {
    expect(sourcesOf(name).filter((file) => file.includes("/event-streams/"))).toEqual([]);
  });

  it.each(ANSWERING)("the bundle of %s has the route table of no other function", (name) => {
    const tables = ANSWERING.map((each) => `functions/routes/${each}.ts`);

    expect(tables.filter((table) => sourcesOf(name).some((file) => file.endsWith(table)))).toEqual([
      `functions/routes/${name}.ts`,
    ]);
  });

  // esbuild wraps each module that such an import shares with the start, and keeps it whole: 7 ms of 63 in ingest.
  it.each(FUNCTIONS)(
    "the bundle of %s loads no module later than at its start, but the replacement of event streams and what is named",
    (name) => {
      const code = readFileSync(bundleOf(name), "utf8");

      expect(code.split("Promise.resolve().then(()=>(").length - 1).toBeLessThanOrEqual(
        1 + (EXPECTED_FUNCTIONS[name].lateModules ?? 0),
      );
    },
  );

  it.each(FUNCTIONS)("the bundle of %s has nothing of a failpoint", (name) => {
    const code = readFileSync(bundleOf(name), "utf8");

    expect(TRACES.filter((trace) => code.includes(trace))).toEqual([]);
  });

  it("the bundle of the fault tests has the failpoints", () => {
    const tested = join(folder, "tested");
    buildHandler("consume", tested, { dropLabels: [] });
    const code = readFileSync(join(tested, "index.js"), "utf8");

    expect(TRACES.filter((trace) => !code.includes(trace))).toEqual([]);
  });
});
