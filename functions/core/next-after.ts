import * as z from "zod";

/** The `next` of a list whose pages go on with `after`. */
export const nextAfter = z.string().optional().meta({ description: "The `after` of the rest; missing at the end" });
