import type * as z from "zod/mini";

/** Reads JSON of a shape; undefined for a text that is no JSON, or JSON of another shape. */
export function readJson<Shape extends z.ZodMiniType>(shape: Shape, text: string): z.output<Shape> | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
