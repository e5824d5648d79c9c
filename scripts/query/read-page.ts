import * as z from "zod";
import { eventPage } from "../../functions/core/answer.ts";
import { elementTexts } from "../../functions/core/json-spans.ts";

/** A page of a list, with the texts of its events as they came: parsing would change numbers. */
export type Page = Omit<z.output<typeof page>, "events"> & { events: string[] };

const page = z.object({ ...eventPage.shape, events: z.array(z.unknown()) });

/** @throws Error for an answer that is no page */
export function readPage(text: string): Page {
  const parsed = page.safeParse(parse(text));
  if (!parsed.success) throw new Error("The answer is no page of events. Check that the URL is that of Sluice.");
  return { ...parsed.data, events: elementTexts(text, text.indexOf("[")) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
