/**
 * Checks the name of a time zone, for example `Europe/Berlin`, and returns the name that PostgreSQL knows the zone by.
 * @returns undefined for a text that is no name of the IANA database
 */
export function toTimeZone(text: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(text)) return undefined;
  if (!isKnown(text)) return undefined;
  return OF_ABBREVIATIONS[text.toUpperCase()] ?? text;
}

/** Zones whose names PostgreSQL takes for abbreviations, which have no summer time. As the IANA database links them. */
const OF_ABBREVIATIONS: Record<string, string> = {
  CET: "Europe/Brussels",
  MET: "Europe/Brussels",
  EET: "Europe/Athens",
  WET: "Europe/Lisbon",
};

function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
