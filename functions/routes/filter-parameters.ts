import * as z from "zod/mini";
import { ID_MAX_BYTES, SOURCE_MAX_BYTES, SUBJECT_MAX_BYTES, TYPE_MAX_BYTES } from "../core/limits.ts";
import { eventText } from "./event-text.ts";

/** The query parameters of a filter (functions/core/filter/from-parameters.ts), for each route that has one. */
export const filterParameters = {
  repeatable: {
    type: eventText(TYPE_MAX_BYTES).check(z.describe("The type, or its beginning: `com.example.*`")),
    source: eventText(SOURCE_MAX_BYTES).check(z.describe("The source, or its beginning: `/shop/*`")),
    subject: eventText(SUBJECT_MAX_BYTES).check(z.describe("The subject, or its beginning")),
    id: eventText(ID_MAX_BYTES).check(z.describe("The id, or its beginning; a list looks whole ids up")),
  },
  families: {
    data: {
      description:
        "Conditions on `data`: the path of a member, an operator in brackets, and a JSON value or a text (docs/filters.md)",
      example: { "data.total[gte]": "100" },
    },
  },
} as const;
