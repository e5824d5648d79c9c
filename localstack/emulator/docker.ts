import { spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

const COMPOSE_FILE = join(import.meta.dirname, "..", "docker-compose.yml");

/** The name of this machine inside containers; docker-compose.yml defines it on Linux, too. */
export const HOST_FROM_CONTAINERS = "host.docker.internal";

/** @throws Error that names the missing part and the command that installs it */
export function requireDocker(environment: NodeJS.ProcessEnv): void {
  const { error, status } = docker(["info"], "ignore", environment);
  if (error !== undefined) {
    throw new Error("docker is not on the PATH. Install it: https://docs.docker.com/get-docker/");
  }
  if (status !== 0) {
    throw new Error(
      "The Docker engine does not answer. Start it: sudo systemctl start docker, or open Docker Desktop.",
    );
  }
  if (docker(["compose", "version"], "ignore", environment).status !== 0) {
    throw new Error("docker has no compose. Install its plugin: https://docs.docker.com/compose/install/");
  }
}

/** Starts LocalStack on a port and waits until it is healthy. @throws Error if it is not healthy in time; a part may still run */
export function composeUp(project: string, port: number): void {
  const environment = { ...process.env, LOCALSTACK_PORT: String(port) };
  const words = ["compose", "--project-name", project, "--file", COMPOSE_FILE, "up", "--detach", "--wait"];
  const { status } = docker(words, "inherit", environment);
  if (status === 0) return;
  docker(["compose", "--project-name", project, "logs", "--tail", "20"], "inherit");
  throw new Error(`docker compose up ended with ${status}; its messages are above.`);
}

/** Ends the project. It needs no compose file, which would require the token. */
export function composeDown(project: string): void {
  const { status } = docker(["compose", "--project-name", project, "down", "--volumes"], "inherit");
  if (status !== 0) throw new Error(`docker compose down ended with ${status}; its messages are above.`);
}

/**
 * The address at which containers reach this machine: the engine's bridge on Linux, which is an interface of this machine;
 * the loopback interface with Docker Desktop, WSL and rootless engines.
 */
export function addressForContainers(): string {
  const format = "{{(index .IPAM.Config 0).Gateway}}";
  const { stdout } = docker(["network", "inspect", "bridge", "--format", format], "pipe");
  const gateway = stdout?.trim();
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  return gateway && addresses.includes(gateway) ? gateway : "127.0.0.1";
}

function docker(words: string[], stdio: "ignore" | "inherit" | "pipe", env = process.env) {
  return spawnSync("docker", words, { stdio: ["ignore", stdio, stdio], encoding: "utf8", env });
}
