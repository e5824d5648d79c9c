import { spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

const COMPOSE_FILE = join(import.meta.dirname, "..", "docker-compose.yml");

/** How containers name the machine they run on; docker-compose.yml makes it so on Linux, too. */
export const HOST_FROM_CONTAINERS = "host.docker.internal";

/** @throws Error that names what is missing and the command that brings it */
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

/** Starts LocalStack on a port and waits until it is healthy. @throws Error if it is not in time; a part may run then */
export function composeUp(project: string, port: number): void {
  const environment = { ...process.env, LOCALSTACK_PORT: String(port) };
  const words = ["compose", "--project-name", project, "--file", COMPOSE_FILE, "up", "--detach", "--wait"];
  const { status } = docker(words, "inherit", environment);
  if (status === 0) return;
  docker(["compose", "--project-name", project, "logs", "--tail", "20"], "inherit");
  throw new Error(`docker compose up ended with ${status}; what it says is above.`);
}

/** Without the file, whose token need not be known for this. */
export function composeDown(project: string): void {
  const { status } = docker(["compose", "--project-name", project, "down", "--volumes"], "inherit");
  if (status !== 0) throw new Error(`docker compose down ended with ${status}; what it says is above.`);
}

/**
 * The address of this machine that containers come in by: of an engine on Linux its bridge, which is an interface of this
 * machine; Docker Desktop, WSL and rootless engines bring them to the loopback interface.
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
