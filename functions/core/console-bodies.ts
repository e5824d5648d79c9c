import * as z from "zod/mini";

/** `POST /console/sessions` */
export const signIn = z.strictObject({
  code: z.string().check(z.maxLength(128), z.describe("The code of `POST /console/codes`, which works once")),
});
