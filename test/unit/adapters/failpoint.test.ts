import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FUNCTIONS, type FunctionName } from "../../../functions/core/functions.ts";
import { buildHandler, DEPLOYED } from "../../../lib/bundle.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-bundle-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const bundle = async (name: FunctionName, options: { dropLabels: string[] }) => {
  buildHandler(name, folder, options);
  return readFile(join(folder, "index.js"), "utf8");
};
const TRACES = ["FAILPOINT", "beforeSend", "afterStore", "beforeAnswer", "Ordered by the fault test", "FAILPOINTS_URL"];

it.each(FUNCTIONS)("the deployed bundle of %s has nothing of a failpoint", async (name) => {
  const deployed = await bundle(name, DEPLOYED);

  expect(TRACES.filter((trace) => deployed.includes(trace))).toEqual([]);
});

it("the bundles of the fault tests have the failpoints", async () => {
  const tested = await bundle("consume", { dropLabels: [] });

  expect(TRACES.filter((trace) => !tested.includes(trace))).toEqual([]);
});
