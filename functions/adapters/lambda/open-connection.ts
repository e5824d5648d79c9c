import { lambdaEnvironment } from "./environment.ts";

/** An opening that takes longer is given up. */
const OPEN_MS = 1_000;

/** The parts of a client and a command of the SDK that an opening needs. */
type Client = {
  config: { requestHandler: { handle(request: never, options: { abortSignal: AbortSignal }): Promise<Handled> } };
  send(command: never): Promise<unknown>;
};
type Command = { middlewareStack: { add(middleware: never, options: never): void } };
type Handled = { response: { body?: unknown } };

/** The request has its endpoint by then, and no signature. */
const BEFORE_SIGNING = { step: "build", priority: "low", name: "openConnection" };

/**
 * Opens a connection of a client for its first call: with a GET of `/` in the place of the command, which names no operation and has no
 * signature, so no service does anything for it, and no database wakes. Never throws: a call opens a connection of its own.
 * @param command its members decide the endpoint, as those of a call
 * @see https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/middleware-stack.html
 */
export async function openConnection(client: Client, command: Command): Promise<void> {
  const instead = () => async (args: { request: object }) => {
    const request = Object.assign(args.request, { method: "GET", path: "/", query: {}, headers: {}, body: undefined });
    const options = { abortSignal: AbortSignal.timeout(OPEN_MS) };
    const { response } = await client.config.requestHandler.handle(request as never, options);
    // A connection is free when its answer is read.
    for await (const _ of response.body as AsyncIterable<Buffer>);
    return { response, output: { $metadata: {} } };
  };
  command.middlewareStack.add(instead as never, BEFORE_SIGNING as never);
  await client.send(command as never).catch(() => undefined);
}

/** Opens a connection while Lambda starts a process for a request. Processes that start ahead of requests may outlive connections. */
export const openAhead = (...call: Parameters<typeof openConnection>): Promise<void> | undefined =>
  lambdaEnvironment.isStartedOnDemand() ? openConnection(...call) : undefined;
