import type { createApiDocs } from "./api-docs.ts";

/** One version of an event type in the OpenAPI document. */
type DocumentedType = {
  type: string;
  dataschema: string | undefined;
  /** The address of its JSON Schema, relative to the document. */
  link: string;
  /** The name of its component. */
  component: string;
  schema: Record<string, unknown>;
};

/** Names a component for each version of each type: `data.` and the type, and a number from the second version on. */
export function eventTypes(apiDocs: ReturnType<typeof createApiDocs>): DocumentedType[] {
  const taken = new Set<string>();
  const versions = apiDocs.types().types.flatMap(({ type, versions }) => versions.map((each) => ({ type, ...each })));
  return versions.map(({ type, dataschema, link }) => {
    const base = `data.${type.replaceAll(/[^A-Za-z0-9._-]/g, "_")}`;
    let component = base;
    for (let number = 2; taken.has(component); number++) component = `${base}.${number}`;
    taken.add(component);
    return { type, dataschema, link, component, schema: apiDocs.schema(type, dataschema) };
  });
}

/** The schemas of `data` by component. A reference inside a schema is written as one inside the document. */
export function dataSchemas(types: DocumentedType[]): Record<string, unknown> {
  return Object.fromEntries(
    types.map(({ type, dataschema, component, schema: { $schema: _schema, $id: _id, ...schema } }) => {
      const text = JSON.stringify(schema, (key, value: unknown) =>
        key === "$ref" && typeof value === "string" ? value.replace(/^#/, `#/components/schemas/${component}`) : value,
      );
      const version = dataschema === undefined ? "" : `, version \`${dataschema}\``;
      const description = `The \`data\` of \`${type}\`${version}`;
      return [component, { description, ...(JSON.parse(text) as object) }];
    }),
  );
}

/** A list of the types, as Markdown after a sentence. A table would be wider than a phone. */
export function describeTypes(types: DocumentedType[]): string {
  if (types.length === 0) return "";
  const lines = types.map(
    ({ type, dataschema, link }) => `- \`${type}\`: [${dataschema ?? "without dataschema"}](${link})`,
  );
  return `. The \`data\` of these types is checked:\n\n${lines.join("\n")}`;
}
