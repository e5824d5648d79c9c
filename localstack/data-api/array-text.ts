/**
 * Reads PostgreSQL's text form of an array, for example `{1,NULL,"a,b"}`; undefined if it has more than one dimension.
 * https://www.postgresql.org/docs/17/arrays.html#ARRAYS-IO
 */
export function parseArray(text: string): (string | null)[] | undefined {
  // Bounds other than 1 come first: [0:1]={a,b}
  const body = text.slice(text.indexOf("{") + 1, -1);
  if (body.startsWith("{")) return undefined;
  return Array.from(body.matchAll(ELEMENT), ([, quoted, plain]) => {
    if (quoted !== undefined) return quoted.replaceAll(/\\(.)/gs, "$1");
    return plain === "NULL" ? null : (plain ?? "");
  });
}

const ELEMENT = /"((?:[^"\\]|\\.)*)"|([^,"]+)/gs;
