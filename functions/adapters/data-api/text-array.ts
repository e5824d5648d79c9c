/** A parameter that is an array of JSON texts, or null, as text[]. The Data API has no arrays. */
export function textArray(parameter: `:${string}`): string {
  return `case when cast(${parameter} as text) is not null then array(select jsonb_array_elements_text(cast(${parameter} as jsonb))) end`;
}

/** The value of such a parameter. */
export function toTextArray(texts: readonly string[] | undefined): string | null {
  return texts === undefined ? null : JSON.stringify(texts);
}
