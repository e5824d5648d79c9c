import { describe, expect, it } from "vitest";
import { synthesizeStack } from "./support.ts";

describe("cdk-nag AwsSolutions", () => {
  it.each(["dev", "prod"] as const)("cdk-nag finds nothing in %s that is not acknowledged with a reason", (stage) => {
    const { app } = synthesizeStack(stage, { nag: true });

    expect(() => app.synth()).not.toThrow();
  });
});
