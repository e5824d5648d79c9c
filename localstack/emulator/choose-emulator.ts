import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { requireDocker } from "./docker.ts";
import { hasLocalstack, INSTALL_LOCALSTACK, requireLocalstack } from "./localstack-python.ts";
import { MINISTACK_VERSION } from "./ministack.ts";

/** The emulator that `up` uses, and the values that it needs. */
export type Choice =
  | { by: "user"; endpoint: string }
  | { by: "serve"; emulator: "localstack" | "ministack"; program: string }
  | { by: "docker" };

/** `localstack` is a process of this machine, `docker` is LocalStack in a container. */
export const WAYS = ["running", "localstack", "docker", "ministack"] as const;
export type Way = (typeof WAYS)[number];

/**
 * The emulator to use: the given one; otherwise the one that runs at `AWS_ENDPOINT_URL`, LocalStack in Docker if its token
 * is set, LocalStack if the path's `python3` has it, MiniStack if it is on the path.
 * @throws Error that names the missing part and the command that installs it
 */
export function chooseEmulator(environment: NodeJS.ProcessEnv, way = firstWay(environment)): Choice {
  switch (way) {
    case "running": {
      const endpoint = environment["AWS_ENDPOINT_URL"];
      if (endpoint === undefined || !URL.canParse(endpoint)) {
        throw new Error(
          "AWS_ENDPOINT_URL is not the address of an emulator: export AWS_ENDPOINT_URL=http://127.0.0.1:4566",
        );
      }
      return { by: "user", endpoint: endpoint.replace(/\/$/, "") };
    }
    case "localstack": {
      const program = findOnPath("python3", environment["PATH"]);
      if (program === undefined) {
        throw new Error(
          `python3 is not on the PATH. Install Python 3.13 (https://www.python.org/downloads/), and with it LocalStack: ${INSTALL_LOCALSTACK}`,
        );
      }
      requireLocalstack(program);
      return { by: "serve", emulator: "localstack", program };
    }
    case "docker":
      if (!environment["LOCALSTACK_AUTH_TOKEN"]) {
        throw new Error(
          "LOCALSTACK_AUTH_TOKEN is not set. LocalStack's image needs a token, which its free plan includes: https://app.localstack.cloud/settings/auth-tokens, then export LOCALSTACK_AUTH_TOKEN=…",
        );
      }
      requireDocker(environment);
      return { by: "docker" };
    case "ministack": {
      const program = findOnPath("ministack", environment["PATH"]);
      if (program === undefined) throw new Error(`ministack is not on the PATH. Install it: ${INSTALL_MINISTACK}`);
      return { by: "serve", emulator: "ministack", program };
    }
  }
}

function firstWay(environment: NodeJS.ProcessEnv): Way {
  if (environment["AWS_ENDPOINT_URL"]) return "running";
  if (environment["LOCALSTACK_AUTH_TOKEN"]) return "docker";
  const python = findOnPath("python3", environment["PATH"]);
  if (python !== undefined && hasLocalstack(python)) return "localstack";
  if (findOnPath("ministack", environment["PATH"]) !== undefined) return "ministack";
  throw new Error(`There is no emulator. Install or start one of these:
  LocalStack            with Python 3.13: ${INSTALL_LOCALSTACK}
  MiniStack             ${INSTALL_MINISTACK}
  LocalStack in Docker  set LOCALSTACK_AUTH_TOKEN to the token of https://app.localstack.cloud/settings/auth-tokens
  another               start it, and export AWS_ENDPOINT_URL with its address`);
}

const INSTALL_MINISTACK = `python3 -m venv .venv && .venv/bin/pip install ministack==${MINISTACK_VERSION} && export PATH="$PWD/.venv/bin:$PATH"`;

function findOnPath(program: string, path = ""): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
