import type { Resolver } from "./resolver.ts";

/** Outputs by their export name, or by their key in the template where they have none. */
export function readOutputs({ template, condition, resolve }: Resolver): Record<string, string> {
  return Object.fromEntries(
    Object.entries(template.Outputs ?? {})
      .filter(([key, { Condition: name }]) => name === undefined || condition(name, `Outputs.${key}`))
      .map(([key, { Value: value, Export: exported }]) => {
        const name = exported === undefined ? key : String(resolve(exported.Name, `Outputs.${key}.Export.Name`));
        return [name, String(resolve(value, `Outputs.${key}.Value`))];
      }),
  );
}
