import { KIB } from "./limits.ts";

/** The limits of requests about keys, tenants and the audit log. */

/** The name of a key, for people: a line of a list. */
export const KEY_NAME_MAX_CHARACTERS = 128;

/** Patterns of types, and of sources, of one key; its item is read with each check, and stays below 50 KB with these. */
export const KEY_MAX_PATTERNS = 32;

/** A body about a key or a tenant; the longest key with patterns of that size, escaped, is below this. */
export const ACCESS_BODY_MAX_BYTES = 256 * KIB;

/** Keys, tenants and entries in one answer. DynamoDB reads so many last uses in one call. */
export const PAGE_MAX_ITEMS = 100;
