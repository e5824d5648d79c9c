/** The store of the archive's files. Every call may throw a FilesError. */
export type ArchiveFiles = {
  /** Writes a file as a whole: another one of the same key is there until this one is. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
  /** The bytes of a file; undefined where there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** The keys that begin so, in their order. */
  list(prefix: string): AsyncIterable<string>;
  /** The folders in one, each with its end: of `archive/30d/` for example `archive/30d/2026-11-29/`. In their order. */
  folders(folder: string): AsyncIterable<string>;
  /** Deletes a file; one that is not there stays so. */
  delete(key: string): Promise<void>;
};
