import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";

/**
 * What each function may weigh, in KiB, minified and without its source map: a twentieth above what it weighs. Every
 * 100 KiB are some 5 ms of a cold start. Raise a ceiling only for something that is worth that.
 */
const CEILINGS_KIB = { ingest: 350, consume: 350, query: 230, migrate: 230, "api-docs": 135 };

const folder = mkdtempSync(join(tmpdir(), "sluice-size-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the bundle", () => {
  it.each(Object.entries(CEILINGS_KIB))("of %s weighs at most %i KiB", (stage, ceiling) => {
    buildHandler(stage, folder, DEPLOYED);

    expect(statSync(join(folder, "index.js")).size / 1_024).toBeLessThanOrEqual(ceiling);
  });

  it.each(["ingest", "consume", "query", "migrate"])(
    "of %s looks for credentials in the environment alone",
    (stage) => {
      buildHandler(stage, folder, DEPLOYED);
      const code = readFileSync(join(folder, "index.js"), "utf8");

      expect(code).toContain("AWS_SECRET_ACCESS_KEY");
      expect(
        ["sso_start_url", "web_identity_token_file", "credential_process"].filter((each) => code.includes(each)),
      ).toEqual([]);
    },
  );
});
