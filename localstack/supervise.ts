import { messageOf } from "./message-of.ts";
import { pause } from "./on-abort.ts";

/** A process that ends more often than this within the window is not started again. */
const MOST_RESTARTS = 3;
const WINDOW_MS = 60_000;

/** Before the first, second and third restart. */
const PAUSES_MS = [100, 1_000, 3_000];

export type Supervisor = {
  /** Call it when the process has ended unasked. Never throws. */
  ended: () => void;
  /** Ends supervision; resolves when a restart under way is over. */
  stop: () => Promise<void>;
};

/** Restarts a process of the runtime that ended by itself, a few times. Then it calls `giveUp` with the reason. */
export function supervise(options: {
  name: string;
  restart: () => Promise<void>;
  giveUp: (reason: Error) => void;
  log: (line: string) => void;
}): Supervisor {
  const { name, restart, giveUp, log } = options;
  const stopping = new AbortController();
  let recent: number[] = [];
  let restarting: Promise<void> = Promise.resolve();

  const again = async (): Promise<void> => {
    for (let why = "ended unexpectedly"; !stopping.signal.aborted; ) {
      const now = Date.now();
      recent = recent.filter((time) => time > now - WINDOW_MS);
      const wait = PAUSES_MS[recent.length];
      if (recent.length >= MOST_RESTARTS || wait === undefined) {
        return giveUp(new Error(`${name} ${why}, after ${recent.length} restarts in a minute. The runtime stops.`));
      }
      recent.push(now);
      log(`${name} ${why}; starting it again (${recent.length} of ${MOST_RESTARTS})`);
      try {
        await pause(wait, stopping.signal);
        if (stopping.signal.aborted) return;
        await restart();
        return log(`${name} runs again`);
      } catch (error) {
        why = `did not start again (${messageOf(error)})`;
      }
    }
  };

  return {
    ended: () => {
      if (!stopping.signal.aborted) restarting = restarting.then(again);
    },
    stop: async () => {
      stopping.abort();
      await restarting;
    },
  };
}
