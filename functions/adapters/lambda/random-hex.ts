import { randomFillSync } from "node:crypto";

/** A call for each id would take longer than all else that a trace costs. */
const pool = Buffer.alloc(1_024);
let used = pool.length;

/** Random bytes as hexadecimal text, for ids that are no secrets. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}
