/** The messages to the process of a server: one at the start, one to end it. */
export type ToChild = { kind: "start"; options: object } | { kind: "stop" };

/** Its answers. */
export type FromChild =
  | { kind: "ready"; port: number; notes: string[] }
  | { kind: "failed"; code: string | undefined; message: string };

/** A server that runs in this process. */
export type Serving = {
  port: number;
  /** Lines for the runtime's log. */
  notes: string[];
  /** Ends it in order. */
  stop: () => Promise<unknown>;
};

/**
 * Makes this process the server of its parent, which child-server.ts started: it begins when the parent says so, and ends
 * when the channel closes, so it never outlives the parent.
 *
 * It ignores the signals that a terminal sends to every process of the foreground group: on Ctrl-C the runtime stops its
 * parts in order, and each server must run until the parts that use it have ended.
 */
export function serveParent(start: (options: never) => Promise<Serving>): void {
  let serving: Promise<Serving> | undefined;
  const stop = async () => {
    const started = await serving?.catch(() => undefined);
    await started?.stop();
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  process.on("SIGTERM", () => void stop());
  process.on("disconnect", () => void stop());
  process.on("message", (message: ToChild) => {
    if (message.kind === "stop") return void stop();
    serving = start(message.options as never);
    serving.then(({ port, notes }) => send({ kind: "ready", port, notes }), fail);
  });
}

function fail(error: unknown): void {
  const { message, code, cause } = error as NodeJS.ErrnoException;
  const reason = cause instanceof Error ? `${message} (${cause.message})` : message;
  if (process.connected) send({ kind: "failed", code, message: reason }, () => process.exit(1));
  else process.exit(1);
}

function send(message: FromChild, sent: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, sent);
}
