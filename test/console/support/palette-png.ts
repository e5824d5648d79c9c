import { crc32, deflateSync, inflateSync } from "node:zlib";

/** https://www.w3.org/TR/png-3/#5DataRep: a signature, and chunks of length, type, data and checksum. */
const SIGNATURE_BYTES = 8;
const COLORS_MAX = 256;
/** The types of colour of a PNG, with the bytes of a pixel. */
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 };
const PALETTE = 3;

type Picture = { width: number; height: number; pixels: Uint32Array };

/**
 * A PNG of the same picture in its 256 most frequent colours, which is a third of the bytes of a screenshot; each other colour becomes
 * the nearest of them.
 * @param png of 8 bits a channel, without interlacing and transparency, as a browser makes it
 */
export function toPalettePng(png: Buffer): Buffer {
  const { width, height, pixels } = decode(png);
  const counts = new Map<number, number>();
  for (const color of pixels) counts.set(color, (counts.get(color) ?? 0) + 1);
  const colors = [...counts.keys()]
    .toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0))
    .slice(0, COLORS_MAX);
  const places = new Map(colors.map((color, place) => [color, place]));
  const lines = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) lines[y * (width + 1) + 1 + x] = placeOf(pixels[y * width + x] ?? 0);
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, PALETTE, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    png.subarray(0, SIGNATURE_BYTES),
    chunk("IHDR", header),
    chunk("PLTE", Buffer.from(colors.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]))),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);

  function placeOf(color: number): number {
    let place = places.get(color);
    if (place === undefined) {
      const distances = colors.map((each) => distance(each, color));
      place = distances.indexOf(Math.min(...distances));
      places.set(color, place);
    }
    return place;
  }
}

const distance = (a: number, b: number) =>
  ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;

function decode(png: Buffer): Picture {
  const data: Buffer[] = [];
  for (let at = SIGNATURE_BYTES; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const size = CHANNELS[png.readUInt8(25)];
  if (size === undefined || png.readUInt8(24) !== 8 || png.readUInt8(28) !== 0)
    throw new Error("Only a PNG of 8 bits a channel, without a palette and interlacing, can be read.");
  const bytes = unfilter(inflateSync(Buffer.concat(data)), { line: width * size, size });
  const pixels = Uint32Array.from({ length: width * height }, (_, at) => bytes.readUIntBE(at * size, 3));
  return { width, height, pixels };
}

/** The bytes of lines that PNG wrote as differences from the bytes to the left and above: https://www.w3.org/TR/png-3/#9Filters */
function unfilter(filtered: Buffer, { line, size }: { line: number; size: number }): Buffer {
  const bytes = Buffer.alloc((filtered.length / (line + 1)) * line);
  for (let from = 0, to = 0; from < filtered.length; from += line + 1, to += line) {
    const filter = filtered[from] ?? 0;
    for (let at = 0; at < line; at++) {
      const left = at < size ? 0 : (bytes[to + at - size] ?? 0);
      const above = to === 0 ? 0 : (bytes[to + at - line] ?? 0);
      const corner = at < size || to === 0 ? 0 : (bytes[to + at - line - size] ?? 0);
      bytes[to + at] = (filtered[from + 1 + at] ?? 0) + predicted(filter, left, above, corner);
    }
  }
  return bytes;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const [byLeft, byAbove, byCorner] = [above - corner, left - corner, left + above - 2 * corner].map(Math.abs) as [
        number,
        number,
        number,
      ];
      if (byLeft <= byAbove && byLeft <= byCorner) return left;
      return byAbove <= byCorner ? above : corner;
    }
    default:
      return 0;
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}
