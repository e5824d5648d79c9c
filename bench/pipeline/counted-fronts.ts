import { countDataApiCall } from "./count-data-api.ts";
import { countQueueCall } from "./count-queue.ts";
import { type Front, startFront } from "./front.ts";
import type { Operations } from "./operations.ts";

/** What a runtime takes to put something in front of queue and Data API. */
type Fronts = Record<"queueFront" | "dataApiFront", (endpoint: string) => Promise<string>>;

/** Proxies that count the calls of queue and Data API into what `operations` answers, call by call. */
export function createCountedFronts(operations: () => Operations): { fronts: Fronts; stop: () => Promise<void> } {
  const started: Front[] = [];
  const start = async (...parameters: Parameters<typeof startFront>) => {
    const front = await startFront(...parameters);
    started.push(front);
    return front;
  };
  return {
    fronts: {
      async queueFront(endpoint) {
        const front = await start(endpoint, {
          onExchange: (exchange) => countQueueCall(operations().queue, exchange),
          // The queue knows itself by its own address only.
          rename: (request) => replaced(request, `"QueueUrl":"${front.url}`, `"QueueUrl":"${endpoint}`),
        });
        return front.url;
      },
      async dataApiFront(endpoint) {
        const onExchange = (exchange: Parameters<typeof countDataApiCall>[1]) =>
          countDataApiCall(operations().dataApi, exchange);
        return (await start(endpoint, { onExchange })).url;
      },
    },
    async stop() {
      await Promise.all(started.map((each) => each.stop()));
    },
  };
}

/** The first occurrence; the other bytes stay as they are, whatever they mean. */
function replaced(bytes: Buffer, search: string, replacement: string): Buffer {
  return Buffer.from(bytes.toString("latin1").replace(search, replacement), "latin1");
}
