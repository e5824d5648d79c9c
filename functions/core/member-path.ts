/** The steps of a path to a member: names with points between them, or a JSON Pointer (RFC 6901 section 4). */
export function toSteps(path: string): string[] {
  if (!path.startsWith("/")) return path.split(".");
  return path
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}
