/** The exit code that shells use for a process that Ctrl-C ended. */
const ENDED_BY_INTERRUPT = 130;

/**
 * Returns a signal that aborts on the first Ctrl-C or SIGTERM, so that a command can finish its current work. A second
 * Ctrl-C ends the process at once.
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
