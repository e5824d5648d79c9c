/**
 * Reads a condition of `--data`, such as `total[gte]=100`, as a query parameter of a filter.
 * @throws Error that shows the form of a condition
 */
export function toDataParameter(condition: string): [name: string, value: string] {
  const [, path = "", value = ""] = /^([^=]*[^=<>!])=(.*)$/s.exec(condition) ?? [];
  if (path === "") throw new Error(`--data takes conditions such as total[gte]=100 or currency=EUR, not ${condition}.`);
  return [/^data[.[]/.test(path) ? path : `data.${path}`, value];
}
