/** The manifests of the archive that an erasure writes again: the port to what the database knows of them. */

/** A manifest of a tenant. */
export type RewrittenManifest = {
  key: string;
  tenant: string;
  day: string;
  /** The class, in days. */
  retention: number;
  generation: number;
};

/** A rewrite that was begun and not ended: the file has the one SHA-256 or the other. */
type PendingRewrite = {
  erasureId: string;
  previous: string;
  sha256: string;
  /** Whoever has begun it does no more. */
  isStale: boolean;
};

/** The place of a restore within the manifest, and where it goes on in the new one. */
export type RestoreAt = { id: string; partAt: number; lineAt: number };
export type MovedRestore = RestoreAt & {
  /** 1 where the new manifest has nothing behind the place. */
  manifestsFurther: 0 | 1;
};

/** Every call may throw a DatabaseError. */
export type ArchiveRewrites = {
  /** Whether a part with events of the tenant may be under way: of a generation that is not finished. */
  isUnderWay(tenant: string, deadline: number): Promise<boolean>;
  /** The generations of a class and day that are not finished. */
  unfinished(retention: number, day: string, deadline: number): Promise<number[]>;
  read(
    manifest: RewrittenManifest,
    deadline: number,
  ): Promise<{ known: string | undefined; pending: PendingRewrite | undefined }>;
  /**
   * Keeps the restores of the tenant waiting. `busy`: a step of one may read the manifest now. `changed`: it is another one than
   * `previous`, or another erasure writes it.
   */
  begin(
    manifest: RewrittenManifest,
    by: { erasureId: string; previous: string },
    deadline: number,
  ): Promise<{ kind: "busy" } | { kind: "changed" } | { kind: "begun"; restores: RestoreAt[] }>;
  /** Notes the manifest that is written next; false where another erasure has it by now, or a hold was made since its lines were compared. */
  intend(
    manifest: RewrittenManifest,
    by: {
      erasureId: string;
      sha256: string;
      rows: number;
      bytes: number;
      textBytes: number;
      parts: number;
      restores: MovedRestore[];
    },
    deadline: number,
  ): Promise<boolean>;
  /** The new manifest is written: the database and the restores know it from now on. Done again, it changes nothing. */
  finish(manifest: RewrittenManifest, sha256: string, deadline: number): Promise<void>;
};
