import { afterEach, describe, expect, it, vi } from "vitest";
import { ingestEnvironment, readEnvironment } from "../../../functions/adapters/lambda/environment.ts";

describe("environment", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("readEnvironment reports every missing or bad variable in one error", () => {
    vi.stubEnv("STAGE", "dev");
    vi.stubEnv("QUEUE_URL", "no url");
    vi.stubEnv("UNKNOWN_TYPES", "maybe");
    vi.stubEnv("UNKNOWN_VERSIONS", "");

    expect(() => readEnvironment(ingestEnvironment)).toThrow(
      /METRICS_NAMESPACE.*LOG_LEVEL.*QUEUE_URL.*UNKNOWN_TYPES.*UNKNOWN_VERSIONS/,
    );
  });
});
