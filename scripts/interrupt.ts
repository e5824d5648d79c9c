/** What a shell says of a process that Ctrl-C ended. */
const ENDED_BY_INTERRUPT = 130;

/**
 * Fires on the first Ctrl-C or SIGTERM, so that a command can finish what it has in hand and give back the rest; a second
 * one ends the process at once.
 */
export function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(ENDED_BY_INTERRUPT);
      process.stderr.write("Stopping; press Ctrl-C again to end at once\n");
      controller.abort();
    });
  }
  return controller.signal;
}
