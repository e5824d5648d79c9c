import type { ArchivePart } from "./archive-manifest.ts";

/** The archive of a day as a job: its generations, and the port to the table that is archived. */

/** A day of a class. */
export type ArchivedDay = {
  /** Days that the class is retained; 0 is for ever. */
  retention: number;
  /** UTC, for example `2026-11-29`. */
  day: string;
  /** Nobody stores events in its table any more. */
  isDetached: boolean;
};

/** The key of the last event that was read, as the database writes it. */
export type ArchivePosition = [receivedAt: string, id: string, source: string];

/** A generation that is not finished. */
export type ArchiveJob = {
  retention: number;
  day: string;
  generation: number;
  horizon: string;
  incarnation: string;
  openedAt: string;
  /** The tenant of the last part; undefined before the first. */
  tenant: string | undefined;
  /** All of its events are in parts. */
  isTenantRead: boolean;
  /** Of this tenant, counted so far. */
  parts: number;
  after: ArchivePosition | undefined;
  tenants: number;
  rows: number;
  bytes: number;
  textBytes: number;
  version: number;
};

export type ArchivePage = {
  /** Undefined where no tenant has events behind the position. */
  tenant: string | undefined;
  /** One JSON a line, each with its end. */
  text: string;
  rows: number;
  /** The lowest and the highest number of a transaction. */
  first: string;
  last: string;
  /** Undefined at the end of the tenant. */
  next: ArchivePosition | undefined;
};

/** A part with the lowest and highest number of a transaction of its events. */
export type CountedPart = { part: ArchivePart; first: string; last: string };

/** The place to read on: the generation's, or behind a page of the part that is made now. */
export type ArchiveFrom = Pick<ArchiveJob, "tenant" | "isTenantRead" | "after">;

/** Every call may throw a DatabaseError. A change of a generation that another step has changed is undefined, and writes nothing. */
export type ArchiveSource = {
  /** The generation that is to be written now; undefined where all events of the day are archived. */
  open(day: ArchivedDay, deadline: number): Promise<ArchiveJob | undefined>;
  readPage(job: ArchiveJob, from: ArchiveFrom, deadline: number): Promise<ArchivePage>;
  /** Counts a part, and moves the position. Without a part the tenant has no more events. */
  countPart(
    job: ArchiveJob,
    counted: { tenant: string; part: CountedPart | undefined; next: ArchivePosition | undefined },
    deadline: number,
  ): Promise<ArchiveJob | undefined>;
  /** The parts of the tenant of the position. */
  readParts(job: ArchiveJob, deadline: number): Promise<CountedPart[]>;
  finishTenant(
    job: ArchiveJob,
    manifest: { sha256: string; rows: number; bytes: number; textBytes: number; parts: number },
    deadline: number,
  ): Promise<ArchiveJob | undefined>;
  finish(job: ArchiveJob, deadline: number): Promise<ArchiveJob | undefined>;
};
