import { execFile } from "node:child_process";
import { describe, expect, it, vi } from "vitest";
import { gapsOf } from "../../e2e/known-gaps.ts";

vi.setConfig({ testTimeout: 60_000 });

/** Runs the two tests of the fixture, one of which passes, with these as known gaps. */
function runWith(...gaps: string[]): Promise<{ code: number; output: string }> {
  const words = ["--config", "test/fixtures/gaps/vitest.config.ts", "--reporter=./test/fixtures/gaps/reporter.ts"];
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"));
  const env = { ...Object.fromEntries(environment), GAPS: gaps.join(",") };
  return new Promise((ended) => {
    execFile(
      process.execPath,
      ["node_modules/vitest/vitest.mjs", "run", ...words],
      { env, timeout: 50_000 },
      (error, stdout) => ended({ code: typeof error?.code === "number" ? error.code : 0, output: stdout }),
    );
  });
}

describe("a known gap of an emulator", () => {
  it("a known gap of LocalStack 4.14 is none of another version", () => {
    expect(gapsOf("localstack", "4.14.0").length).toBeGreaterThan(0);
    expect(gapsOf("localstack", "2026.6.1")).toEqual([]);
    expect(gapsOf("localstack", undefined)).toEqual([]);
  });

  it("a known gap of an emulator keeps the run green and is reported", async () => {
    const { code, output } = await runWith("an emulator > cannot");

    expect({ code, output }).toEqual({
      code: 0,
      output: "A gap of the emulator: an emulator > cannot\n  It does otherwise (https://example.com).\n",
    });
  });

  it("a known gap of an emulator makes the run fail where it is not listed", async () => {
    expect(await runWith()).toMatchObject({ code: 1 });
  });

  it("a known gap of an emulator makes the run fail once its test passes", async () => {
    expect(await runWith("an emulator > cannot", "an emulator > can")).toMatchObject({ code: 1 });
  });

  it("a known gap of an emulator makes the run fail if no test has its name", async () => {
    const { code, output } = await runWith("an emulator > cannot", "an emulator > is deleted");

    expect(code).toBe(1);
    expect(output).toContain('test/fixtures/gaps/gaps.test.ts has no test "an emulator > is deleted"');
  });
});
