import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { RESPONSE_LIMIT_BYTES } from "../lambda/limits.ts";
import type { EmulatorCommand } from "./emulator-process.ts";

/**
 * LocalStack (https://github.com/localstack/localstack) of a Python environment, without Docker: its functions are
 * processes of this very Node, and its tables are those of `npm start` instead of a Java program (localstack-process.py).
 * @param folder for its files
 * @param tablesPort of the server that keeps the tables
 * @see https://docs.localstack.cloud/aws/capabilities/config/configuration/
 */
export async function localstack(
  python: string,
  port: number,
  folder: string,
  tablesPort: number,
): Promise<EmulatorCommand> {
  const temporary = join(folder, "tmp");
  await mkdir(temporary, { recursive: true });
  const address = `127.0.0.1:${port}`;
  const environment = {
    GATEWAY_LISTEN: address,
    // In the addresses of queues and the API. Its own name for this machine needs a DNS server.
    LOCALSTACK_HOST: `localhost:${port}`,
    SQS_ENDPOINT_STRATEGY: "path",
    DYNAMODB_LOCAL_PORT: String(tablesPort),
    // A container that this process runs in is not LocalStack's.
    OVERRIDE_IN_DOCKER: "0",
    FILESYSTEM_ROOT: folder,
    LOCALSTACK_VOLUME_DIR: join(folder, "volume"),
    TMPDIR: temporary,
    // Its plugins' cache; without this it is in the user's home.
    XDG_CACHE_HOME: join(folder, "cache"),
    // Also on a machine that is busy with other things.
    LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT: "60",
    // It asks nothing of the internet, and leaves port 53 alone.
    DISABLE_EVENTS: "1",
    SKIP_SSL_CERT_DOWNLOAD: "1",
    DNS_ADDRESS: "0",
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const bootstrap = join(import.meta.dirname, "../lambda/bootstrap.mjs");
  const words = [
    join(import.meta.dirname, "localstack-process.py"),
    address,
    temporary,
    process.execPath,
    bootstrap,
    String(RESPONSE_LIMIT_BYTES),
  ];
  return { name: "LocalStack", program: python, words, environment };
}
