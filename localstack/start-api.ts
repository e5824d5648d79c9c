import { startApiGateway } from "./api-gateway/start-api-gateway.ts";
import type { Invoke } from "./lambda/invoke.ts";
import { freePort, isAddressMissing, isPortTaken } from "./ports.ts";
import { addressesOf } from "./start-local-server.ts";
import type { StackModel } from "./template/model.ts";
import { LOCAL_ACCOUNT_ID } from "./template/read-stack.ts";

type Where = { port?: number; host?: string | undefined };
type ApiOptions = Where & { log: (line: string) => void };

/** The port of the API if none is given. If it is taken, any free port will do. */
const PREFERRED_PORT = 4800;

/** Starts the API of a stack on the wanted port. @throws Error that names the port or the address that cannot be used */
export async function startApi(stack: StackModel, invoke: (arn: string) => Invoke, options: ApiOptions) {
  const settings = {
    api: stack.api,
    invoke,
    accountId: LOCAL_ACCOUNT_ID,
    host: options.host,
    log: options.log,
  };
  const { port } = options;
  if (port !== undefined) {
    return startApiGateway({ ...settings, port }).catch((error: unknown) => raiseUnusable(error, options));
  }
  return startApiGateway({ ...settings, port: PREFERRED_PORT }).catch((error: unknown) => {
    if (!isPortTaken(error)) throw error;
    return startApiGateway({ ...settings, port: 0 });
  });
}

/** Called before anything starts, because the API itself starts last. */
export async function refuseUnusable(options: Where): Promise<void> {
  await freePort(options.port, addressesOf(options.host)).catch((error: unknown) => raiseUnusable(error, options));
}

function raiseUnusable(error: unknown, { port, host }: Where): never {
  if (isPortTaken(error)) throw new Error(`port ${port} is taken; name another with --port`);
  if (isAddressMissing(error)) {
    throw new Error(`${host} is no address of this machine; give --host one that it has, or 0.0.0.0 for all of them`);
  }
  throw error;
}
