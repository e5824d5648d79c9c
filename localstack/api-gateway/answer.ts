/** One HTTP response, ready to be written. */
export type Answer = { status: number; headers: [name: string, value: string][]; body: string | Buffer };

/** Tells whether a header is among `headers`, in any case. */
export function hasHeader(headers: Answer["headers"], name: string): boolean {
  const wanted = name.toLowerCase();
  return headers.some(([header]) => header.toLowerCase() === wanted);
}
