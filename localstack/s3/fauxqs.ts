import type { IncomingHttpHeaders, Server } from "node:http";

/**
 * The parts of fauxqs 2.4.1's S3 that the runtime uses; like those of its SQS (../sqs/fauxqs.ts) they are not exported, so they
 * are imported by file. `package.json` pins the version, and the contract tests fail if a part has moved.
 */
const ENTRY = import.meta.resolve("fauxqs");

export async function loadFauxqs(): Promise<Fauxqs> {
  const load = (path: string): Promise<unknown> => import(new URL(path, ENTRY).href);
  const [app, store, persistence, checksum, errors] = await Promise.all([
    import("fauxqs"),
    load("./s3/s3Store.js"),
    load("./persistence.js"),
    load("./s3/checksum.js"),
    load("./common/errors.js"),
  ]);
  return Object.assign({}, app, store, persistence, checksum, errors) as Fauxqs;
}

export type Fauxqs = {
  buildApp: (options: { logger: boolean; stores: { s3Store: Store } }) => App;
  S3Store: (new () => Store) & { prototype: Store };
  PersistenceManager: new (dataDir: string) => Persistence;
  computeChecksum: (algorithm: string, data: Uint8Array) => string;
  S3Error: new (code: string, message: string, status: number) => S3Error;
};

type S3Error = Error & { toXml: () => string; statusCode: number };

type App = {
  ready: () => Promise<unknown>;
  server: Server;
  close: () => Promise<void>;
  addHook: {
    (name: "onClose", hook: () => Promise<void>): void;
    (name: "onRequest", hook: (request: Request, reply: Reply) => Promise<unknown>): void;
    (name: "preHandler", hook: (request: Request & { body: unknown }, reply: Reply) => Promise<unknown>): void;
  };
};

export type Request = {
  method: string;
  headers: IncomingHttpHeaders;
  /** Without a body here; the address as it was sent. */
  raw: { url?: string };
};

export type Reply = {
  status: (code: number) => Reply;
  header: (name: string, value: string) => Reply;
  send: (body?: string) => Reply;
};

type Checksum = { algorithm: string; value: string };

type StoredObject = { key: string; lastModified: Date };

export type Store = {
  persistence?: Persistence;
  buckets: Map<string, Map<string, StoredObject>>;
  multipartUploads: Map<string, { uploadId: string; bucket: string; initiated: Date }>;
  hasBucket: (name: string) => boolean;
  createBucket: (name: string) => void;
  putObject: (
    bucket: string,
    key: string,
    body: Uint8Array,
    contentType: unknown,
    metadata: unknown,
    systemMetadata: unknown,
    checksum?: Checksum,
  ) => unknown;
  deleteObject: (bucket: string, key: string) => void;
  abortMultipartUpload: (uploadId: string) => void;
};

type Persistence = {
  db: { exec: (sql: string) => void };
  loadS3: (store: Store) => void;
  close: () => void;
};
