import { afterEach, describe, expect, it, vi } from "vitest";
import { readEnvironment } from "../../../functions/adapters/lambda/environment.ts";
import { apiDocsEnvironment, ingestEnvironment } from "../../../functions/adapters/lambda/environment-schemas.ts";

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

  it.each([
    [undefined, []],
    ["https://app.example.com", ["https://app.example.com"]],
    ["https://app.example.com http://localhost:5173", ["https://app.example.com", "http://localhost:5173"]],
  ])("readEnvironment reads the origins %j as a list, which may be empty", (origins, list) => {
    const common = { STAGE: "dev", METRICS_NAMESPACE: "Sluice-dev", LOG_LEVEL: "INFO", LAMBDA_TASK_ROOT: "/" };
    for (const [name, value] of Object.entries({ ...common, CORS_ORIGINS: origins })) vi.stubEnv(name, value);

    expect(readEnvironment(apiDocsEnvironment).CORS_ORIGINS).toEqual(list);
  });
});
