import { KIB, MIB } from "./limits.ts";

/** The limits of the archive. */

/**
 * The text of a part, before it is compressed. A part is written and read as a whole, so two of them and their compressed bytes
 * are in the memory of a function, which has 512 MB.
 */
export const ARCHIVE_PART_MAX_BYTES = 32 * MIB;

/**
 * The JSON of a page's lines, as the Data API escapes it. The Data API answers 1 MiB at most and is paid for in units of 32 KiB,
 * request and answer together: a page is 31 of them, of which these are all but 6 KiB.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html
 */
export const ARCHIVE_PAGE_MAX_BYTES = 986 * KIB;

/** Compression of gzip: 6 writes 3 % more than 9 in a quarter of the time. */
export const ARCHIVE_GZIP_LEVEL = 6;

/** A manifest has some 300 bytes for each part; so many are a terabyte of one tenant and day. */
export const ARCHIVE_MANIFEST_MAX_BYTES = 16 * MIB;
