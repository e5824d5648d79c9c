/** A request to the API. */
export type Request = {
  method: string;
  url: string;
  tenant?: string | undefined;
  body?: string | undefined;
  headers?: Readonly<Record<string, string>>;
};

/** Writes a request as a command of a shell. The key comes from the variable that the project's commands read. */
export function toCurl({ method, url, tenant, body, headers = {} }: Request): string {
  return [
    "curl",
    ...(method === "GET" && body === undefined ? [] : ["-X", method]),
    quote(url),
    '-H "Authorization: Bearer $SLUICE_API_KEY"',
    ...(tenant === undefined ? [] : ["-H", quote(`Sluice-Tenant: ${tenant}`)]),
    ...Object.entries(headers).flatMap(([name, value]) => ["-H", quote(`${name}: ${value}`)]),
    ...(body === undefined ? [] : ["--data-raw", quote(body)]),
  ].join(" ");
}

/** Quotes a word for a POSIX shell, which changes nothing between single quotes. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
