import { describe, expect, it } from "vitest";
import { childEnvironment } from "../../../localstack/child-environment.ts";
import { SHELL_SETTINGS } from "../../support/shell-settings.ts";

describe("the environment of a program of the local stack", () => {
  it.each(Object.entries(SHELL_SETTINGS))(
    "the environment of a program of the local stack has no %s of the shell",
    (name, value) => {
      expect(childEnvironment({ [name]: value, [name.toLowerCase()]: value })).toEqual({});
    },
  );

  it("the environment of a program of the local stack has every other variable", () => {
    const others = {
      PATH: "/bin",
      HOME: "/home/me",
      LANG: "de_DE.UTF-8",
      TMPDIR: "/tmp",
      NODE_COMPILE_CACHE: "/cache",
    };

    expect(childEnvironment(others)).toEqual(others);
  });
});
