import { spawnSync } from "node:child_process";
import { join } from "node:path";

const COMPOSE_FILE = join(import.meta.dirname, "..", "docker-compose.yml");

/** The port in docker-compose.yml. */
export const LOCALSTACK_ENDPOINT = "http://127.0.0.1:4566";

/** How containers name the machine they run on; docker-compose.yml makes it so on Linux, too. */
export const HOST_FROM_CONTAINERS = "host.docker.internal";

/** @throws Error that names what is missing and the command that brings it */
export function requireDocker(environment: NodeJS.ProcessEnv): void {
  const { error, status } = docker(["info"], "ignore", environment);
  if (error !== undefined)
    throw new Error("docker is not on the PATH. Install it: https://docs.docker.com/get-docker/");
  if (status !== 0)
    throw new Error(
      "The Docker engine does not answer. Start it: sudo systemctl start docker, or open Docker Desktop.",
    );
  if (docker(["compose", "version"], "ignore", environment).status !== 0) {
    throw new Error("docker has no compose. Install its plugin: https://docs.docker.com/compose/install/");
  }
}

/** Starts LocalStack and waits until it is healthy. */
export function composeUp(): void {
  compose(["up", "--detach", "--wait"]);
}

export function composeDown(): void {
  compose(["down", "--volumes"]);
}

/**
 * The address of this machine that containers come in by. Docker Desktop brings them to the loopback interface, an
 * engine on Linux to its bridge.
 */
export function addressForContainers(): string {
  if (process.platform !== "linux") return LOOPBACK;
  const format = "{{(index .IPAM.Config 0).Gateway}}";
  const { status, stdout } = docker(["network", "inspect", "bridge", "--format", format], "pipe");
  const gateway = stdout?.trim();
  return status === 0 && gateway ? gateway : LOOPBACK;
}

const LOOPBACK = "127.0.0.1";

function compose(words: string[]): void {
  const { status } = docker(["compose", "--file", COMPOSE_FILE, ...words], "inherit");
  if (status !== 0) throw new Error(`docker compose ${words[0]} ended with ${status}; what it says is above.`);
}

function docker(words: string[], stdio: "ignore" | "inherit" | "pipe", env = process.env) {
  return spawnSync("docker", words, { stdio: ["ignore", stdio, stdio], encoding: "utf8", env });
}
