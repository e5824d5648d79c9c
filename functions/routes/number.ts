import * as z from "zod/mini";

/** A whole number as text, which may be missing. */
export function number(error: string, form: RegExp, most: number) {
  return z.pipe(
    z.optional(
      z.string(error).check(
        z.minLength(1, error),
        z.regex(form, error),
        z.refine((text) => Number(text) <= most, error),
      ),
    ),
    z.transform((text) => (text === undefined ? undefined : Number(text))),
  );
}
