/**
 * Chooses a media type by the header `Accept`: the one of the highest quality, and of several the one that is offered first.
 * The most specific range decides about a type, so `text/*, text/csv;q=0` does not take CSV. Parameters but `q` count for
 * nothing, and so does a range that cannot be read.
 * @returns undefined where the header takes none of them
 * @see RFC 9110 section 12.5.1
 */
export function chooseMediaType<T extends string>(accept: string | undefined, offered: readonly T[]): T | undefined {
  const ranges = (accept ?? "").split(",").flatMap(toRange);
  if (ranges.length === 0) return offered[0];
  let best: { type: T | undefined; quality: number } = { type: undefined, quality: 0 };
  for (const type of offered) {
    const quality = qualityOf(type, ranges);
    if (quality > best.quality) best = { type, quality };
  }
  return best.type;
}

type Range = { name: string; quality: number };

function toRange(text: string): Range[] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  if (!RANGE.test(name)) return [];
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice("q=".length) ?? "1";
  return QUALITY.test(quality) ? [{ name, quality: Number(quality) }] : [];
}

const RANGE = /^(?:\*\/\*|[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+))$/;
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

function qualityOf(type: string, ranges: readonly Range[]): number {
  const [main] = type.split("/");
  for (const name of [type, `${main}/*`, "*/*"]) {
    const range = ranges.find((each) => each.name === name);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
