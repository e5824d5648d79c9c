import * as z from "zod/mini";
import { fitsUtf8 } from "../core/fits-utf8.ts";

/** A parameter that names a stored event. Text that no event can have is refused without waking the database. */
export function eventText(maxBytes: number) {
  const error = `is empty, longer than ${maxBytes} bytes, or no text that can be stored`;
  return z.string(error).check(
    z.minLength(1, error),
    z.maxLength(maxBytes, error),
    z.refine((text) => fitsUtf8(text, maxBytes) && !text.includes("\u0000") && text.isWellFormed(), error),
  );
}
