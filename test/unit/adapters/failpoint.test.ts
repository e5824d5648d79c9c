import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildHandler, DEPLOYED } from "../../../lib/bundle.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-bundle-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const bundle = async (stage: string, options: { dropLabels: string[] }) => {
  buildHandler(stage, folder, options);
  return readFile(join(folder, "index.js"), "utf8");
};
const TRACES = ["FAILPOINT", "beforeSend", "afterStore", "beforeAnswer", "Ordered by the fault test"];

it.each(["ingest", "consume", "query", "migrate"])(
  "leaves nothing of a failpoint in the deployed %s",
  async (stage) => {
    const deployed = await bundle(stage, DEPLOYED);

    expect(TRACES.filter((trace) => deployed.includes(trace))).toEqual([]);
  },
);

it("keeps the failpoints in the bundles of the fault tests", async () => {
  const tested = await bundle("consume", { dropLabels: [] });

  expect(TRACES.filter((trace) => !tested.includes(trace))).toEqual([]);
});
