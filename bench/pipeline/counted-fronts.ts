import { countDynamodbCall } from "./count-dynamodb.ts";
import { countDataApiCall } from "./count-data-api.ts";
import { countQueueCall } from "./count-queue.ts";
import { type Front, startFront } from "./front.ts";
import type { Operations } from "./operations.ts";

/** The hooks by which a runtime puts a proxy in front of queue, Data API and DynamoDB. */
type Fronts = Record<"queueFront" | "dataApiFront" | "dynamodbFront", (endpoint: string) => Promise<string>>;

/** Creates proxies that count each call of queue, Data API and DynamoDB into the result of `operations`. */
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
          // The queue accepts only its own address.
          rename: (request) => replaced(request, `"QueueUrl":"${front.url}`, `"QueueUrl":"${endpoint}`),
        });
        return front.url;
      },
      async dataApiFront(endpoint) {
        const onExchange = (exchange: Parameters<typeof countDataApiCall>[1]) =>
          countDataApiCall(operations().dataApi, exchange);
        return (await start(endpoint, { onExchange })).url;
      },
      async dynamodbFront(endpoint) {
        const onExchange = (exchange: Parameters<typeof countDynamodbCall>[1]) =>
          countDynamodbCall(operations().dynamodb, exchange);
        return (await start(endpoint, { onExchange })).url;
      },
    },
    async stop() {
      await Promise.all(started.map((each) => each.stop()));
    },
  };
}

/** Replaces the first occurrence, and leaves all other bytes unchanged in any encoding. */
function replaced(bytes: Buffer, search: string, replacement: string): Buffer {
  return Buffer.from(bytes.toString("latin1").replace(search, replacement), "latin1");
}
