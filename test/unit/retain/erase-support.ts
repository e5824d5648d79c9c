import { gunzipSync } from "node:zlib";
import type {
  ArchiveRewrites,
  MovedRestore,
  RestoreAt,
  RewrittenManifest,
} from "../../../functions/core/archive-rewrite.ts";
import type { ErasureMatch } from "../../../functions/core/erasure-objects.ts";

export const ERASURE = `ers_${"0".repeat(32)}`;

/** Erases the events with one of these ids; `asked` has those that were compared. */
export function matchIds(ids: Iterable<string>) {
  const erased = new Set(ids);
  const asked: string[] = [];
  const isErased: ErasureMatch = async (_place, events) => {
    asked.push(...events.map(({ id }) => id));
    return events.map(({ id }) => erased.has(id));
  };
  return { isErased, asked };
}

/** The manifests as the database knows them, in memory, with its contract. */
export function memoryRewrites() {
  const known = new Map<string, string>();
  const pending = new Map<
    string,
    { erasureId: string; previous: string; sha256?: string; restores?: MovedRestore[] }
  >();
  const restores = new Map<string, RestoreAt & { key: string; sha256: string; manifestsFurther: number }>();
  const world = { isUnderWay: false, unfinished: [] as number[], isBusy: false, isStale: false };
  const of = ({ key }: RewrittenManifest) => key;
  const rewrites: ArchiveRewrites = {
    isUnderWay: async () => world.isUnderWay,
    unfinished: async () => world.unfinished,
    async read(manifest) {
      const found = pending.get(of(manifest));
      const { sha256 } = found ?? {};
      return {
        known: known.get(of(manifest)),
        pending: found === undefined || sha256 === undefined ? undefined : { ...found, sha256, isStale: world.isStale },
      };
    },
    async begin(manifest, { erasureId, previous }) {
      const key = of(manifest);
      if ((known.get(key) ?? previous) !== previous) return { kind: "changed" };
      if (![undefined, erasureId].includes(pending.get(key)?.erasureId) && !world.isStale) return { kind: "changed" };
      pending.set(key, { erasureId, previous });
      if (world.isBusy) return { kind: "busy" };
      const at = [...restores.values()].filter((restore) => restore.key === key);
      return { kind: "begun", restores: at.map(({ id, partAt, lineAt }) => ({ id, partAt, lineAt })) };
    },
    async intend(manifest, { erasureId, sha256, restores: moved }) {
      const found = pending.get(of(manifest));
      if (found?.erasureId !== erasureId) return false;
      pending.set(of(manifest), { ...found, sha256, restores: moved });
      return true;
    },
    async finish(manifest, sha256) {
      const found = pending.get(of(manifest));
      if (found?.sha256 !== sha256) return;
      pending.delete(of(manifest));
      known.set(of(manifest), sha256);
      for (const { id, ...to } of found.restores ?? []) {
        const restore = restores.get(id);
        if (restore !== undefined) restores.set(id, { ...restore, ...to, sha256 });
      }
    },
  };
  return { rewrites, known, pending, restores, world };
}

export class Killed extends Error {}

/** Ports whose calls stop for good at the nth one, counted over all of them: before it is made, or behind it. */
export function killAt(nth: number, when: "before" | "behind") {
  let calls = 0;
  const count = () => {
    calls += 1;
    if (calls > nth || (calls === nth && when === "before")) throw new Killed();
  };
  const wrap = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver);
        // A list is no change, and its pages are calls of the port.
        if (typeof member !== "function" || name === "list" || name === "folders") return member;
        return async (...args: unknown[]) => {
          count();
          const result: unknown = await (member as (...all: unknown[]) => unknown).apply(target, args);
          if (calls === nth) throw new Killed();
          return result;
        };
      },
    });
  return { wrap, calls: () => calls };
}

/** The texts of all files, unpacked. */
export const textsOf = (stored: ReadonlyMap<string, Uint8Array>): string =>
  [...stored]
    .map(([key, bytes]) => (key.endsWith(".gz") ? gunzipSync(bytes) : Buffer.from(bytes)).toString())
    .join("\n");
