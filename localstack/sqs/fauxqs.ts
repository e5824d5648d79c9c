import type { Server } from "node:http";

/**
 * The parts of fauxqs 2.4.1 that the runtime uses.
 *
 * Its own `startFauxqs` listens on every network interface (`0.0.0.0`, no option), keeps queue URLs with the port of an
 * earlier start and gives no access to the store, so its defects could not be repaired. The exported `buildApp` accepts a
 * store and leaves listening to us. The store, the router and the SQLite persistence are not exported, so they are
 * imported by file. `package.json` pins the version, and the contract tests fail if a part has moved.
 */
const ENTRY = import.meta.resolve("fauxqs");

export async function loadFauxqs(): Promise<Fauxqs> {
  const load = (path: string): Promise<unknown> => import(new URL(path, ENTRY).href);
  const [app, store, router, persistence, types, errors] = await Promise.all([
    import("fauxqs"),
    load("./sqs/sqsStore.js"),
    load("./sqs/sqsRouter.js"),
    load("./persistence.js"),
    load("./sqs/sqsTypes.js"),
    load("./common/errors.js"),
  ]);
  return Object.assign({}, app, store, router, persistence, types, errors) as Fauxqs;
}

export type Fauxqs = {
  buildApp: (options: { logger: boolean; defaultRegion: string; stores: { sqsStore: Store } }) => App;
  SqsStore: (new () => Store) & {
    createMessage: (
      body: string,
      attributes?: Message["messageAttributes"],
      delaySeconds?: number,
      group?: string,
    ) => Message;
  };
  SqsQueue: { prototype: Queue };
  SqsRouter: { prototype: { register: (action: string, handler: Handler) => void } };
  PersistenceManager: (new (dataDir: string) => Persistence) & { prototype: Persistence };
  SqsError: new (code: string, message: string, status?: number) => Error;
  INVALID_MESSAGE_BODY_CHAR: RegExp;
};

type App = {
  ready: () => Promise<unknown>;
  server: Server;
  close: () => Promise<void>;
  addHook: (name: "onClose", hook: () => Promise<void>) => void;
};

/** One API action: the parsed JSON body, the store, the HTTP request. */
export type Handler = (body: Body, store: Store, request: Request) => unknown;
export type Body = Record<string, unknown>;
export type Request = { raw: { socket: { destroyed: boolean; readableEnded: boolean } } };

export type Store = {
  host: string;
  region?: string;
  persistence?: Persistence;
  queues: Map<string, Queue>;
  createQueue: (name: string, url: string, arn: string, attributes: Record<string, string>) => Queue;
  getQueue: (url: string) => Queue | undefined;
  getQueueByArn: (arn: string) => Queue | undefined;
  allQueues: () => Iterable<Queue>;
};

export type Queue = {
  name: string;
  url: string;
  arn: string;
  attributes: Record<string, string>;
  persistence?: Persistence;
  messages: Message[];
  delayedMessages: Message[];
  inflightMessages: Map<string, { message: Message; visibilityDeadline: number }>;
  setAttributes: (attributes: Record<string, string>) => void;
  enqueue: (message: Message) => void;
  /** Makes messages visible whose visibility timeout or delay is over; a receive begins with it. */
  processTimers: () => void;
  dequeue: (maximum: number, visibilityTimeout: number | undefined, resolveArn: unknown) => unknown[];
  waitForMessages: (seconds: number) => Promise<void>;
};

export type Message = {
  messageId: string;
  body: string;
  messageAttributes: Record<string, unknown>;
  messageGroupId?: string;
  sentTimestamp: number;
};

export type Persistence = {
  db: {
    exec: (sql: string) => void;
    prepare: (sql: string) => { run: (...values: string[]) => unknown; all: () => unknown[] };
  };
  loadSqsQueues: (store: Store) => void;
  transaction: (work: () => void) => void;
  updateMessageReady: (messageId: string) => void;
  deleteMessage: (messageId: string) => void;
  close: () => void;
};
