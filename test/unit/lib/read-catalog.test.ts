import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { INDEXED_MAX } from "../../../functions/core/list-limits.ts";
import { readCatalog } from "../../../lib/read-catalog.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

let project: TemporaryFolder;
beforeEach(async () => {
  project = await temporaryFolder();
  await writeFile(join(project.path, "package.json"), '{"type":"module"}');
  await symlink(resolve("node_modules"), join(project.path, "node_modules"));
  await mkdir(join(project.path, "catalog"));
});
afterEach(() => project.remove());

/** Reads a catalog of these files. */
async function read(files: Record<string, string>) {
  for (const [file, text] of Object.entries(files)) {
    const path = join(project.path, "catalog", file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return readCatalog(join(project.path, "catalog"));
}

/** The faults of a catalog of these files: the lines of the message without the advice. */
async function faultsOf(files: Record<string, string>): Promise<string[]> {
  const message = await read(files).then(
    () => "",
    (error: Error) => error.message,
  );
  return message.split("\n").slice(0, -1);
}

const eventType = (type: string, data = "z.object({ n: z.int() })", dataschema?: string) =>
  [
    'import * as z from "zod";',
    `export const type = ${JSON.stringify(type)};`,
    dataschema === undefined ? "" : `export const dataschema = ${JSON.stringify(dataschema)};`,
    `export const data = ${data};`,
    "",
  ].join("\n");

describe("the catalog", () => {
  it("the catalog has the measures of its types, at most eight each", async () => {
    const measures = "abcdefg"
      .split("")
      .map((key) => `/${key}`)
      .concat("/a~1b/0");
    const file = `${eventType("a")}export const measures = ${JSON.stringify(measures)};\n`;

    expect(await read({ "a.ts": file, "b.ts": eventType("b") })).toMatchObject([
      { type: "a", measures },
      { type: "b" },
    ]);
  });

  it("the catalog has the indexed fields of its types, at most eight each", async () => {
    const indexed = Array.from({ length: INDEXED_MAX }, (_, i) => `/k${i}`);
    const file = `${eventType("a", "z.record(z.string(), z.unknown())")}export const indexed = ${JSON.stringify(indexed)};\n`;

    expect(await read({ "a.ts": file })).toMatchObject([{ type: "a", indexed }]);
  });

  it("the catalog is its files in the order of their versions, each with its name", async () => {
    const types = await read({
      "order-10.ts": eventType("order", undefined, "urn:10"),
      "order-2.ts": eventType("order", undefined, "urn:2"),
      "order.ts": eventType("order"),
    });

    expect(types.map(({ file, type, dataschema }) => [file, type, dataschema])).toEqual([
      ["catalog/order.ts", "order", undefined],
      ["catalog/order-2.ts", "order", "urn:2"],
      ["catalog/order-10.ts", "order", "urn:10"],
    ]);
    expect(types[0]?.data.safeParse({ n: 0.5 }).success).toBe(false);
  });

  it("the catalog skips hidden files, dangling links of editors, tests, declarations and what is no code", async () => {
    const catalog = join(project.path, "catalog");
    await symlink("user@host.1:2", join(catalog, ".#order.ts"));
    const files = {
      "._order.ts": "\u0000\u0005\u0016\u0007",
      ".idea/x.ts": "no code",
      "order.test.ts": "throw new Error('a test was loaded')",
      "order.spec.ts": "throw new Error('a test was loaded')",
      "order.d.ts": "export declare const x: number;",
      "order.ts~": "no code",
      "#order.ts#": "no code",
      "README.md": "# Our events",
      "sample.json": "{}",
      "order.ts": eventType("order"),
    };

    const types = await read(files);

    expect(types.map(({ file }) => file)).toEqual(["catalog/order.ts"]);
    expect(await readdir(catalog)).toHaveLength(Object.keys(files).length + 1);
  });

  it("the catalog's files may import what they share from a folder, and libraries", async () => {
    const types = await read({
      "parts/money.ts": 'import * as z from "zod";\nexport const amount = z.int();\nexport type Amount = number;\n',
      "order.ts": `import { validate } from "uuid";
import * as z from "zod";
import { type Amount, amount } from "./parts/money.ts";
export type Order = { amount: Amount };
export const type = "order";
export const data = z.object({ id: z.string().refine((id) => validate(id)), amount });
`,
    });

    const id = "01890a5d-ac96-774b-bcce-b302099a8057";
    expect(
      types.map(({ data }) => [data.safeParse({ id, amount: 1 }).success, data.safeParse({ id }).success]),
    ).toEqual([[true, false]]);
  });
});

describe("a fault in the catalog", () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      "a call of what does not exist",
      { "bad.ts": 'import * as z from "zod";\nexport const type = "bad";\nexport const data = z.strin();\n' },
      ["catalog/bad.ts does not load: z.strin is not a function (catalog/bad.ts:3)"],
    ],
    [
      "a bad regular expression in what it imports",
      {
        "parts/code.ts": '\nexport const code = new RegExp("[a");\n',
        "bad.ts": `import { code } from "./parts/code.ts";\n${eventType("bad", "z.string().regex(code)")}`,
      },
      [
        "catalog/bad.ts does not load: Invalid regular expression: /[a/: Unterminated character class (catalog/parts/code.ts:2)",
        "catalog/parts/code.ts does not load: Invalid regular expression: /[a/: Unterminated character class (catalog/parts/code.ts:2)",
      ],
    ],
    ["a thing that is no Error", { "bad.ts": "throw 'no';\nexport {};\n" }, ["catalog/bad.ts does not load: no"]],
    [
      "a helper among the types",
      { "money.ts": 'import * as z from "zod";\nexport const amount = z.int();\n' },
      [
        "catalog/money.ts exports `amount`, which is no part of an event type",
        "catalog/money.ts exports no `type`",
        "catalog/money.ts exports no `data`",
      ],
    ],
    ["an empty file", { "new.ts": "" }, ["catalog/new.ts exports no `type`", "catalog/new.ts exports no `data`"]],
    ["a type without data", { "bare.ts": 'export const type = "bare";\n' }, ["catalog/bare.ts exports no `data`"]],
    [
      "misspelt names",
      {
        "order.ts":
          'import * as z from "zod";\nexport const typ = "o";\nexport const dataSchema = "urn:1";\nexport const Data = z.any();\n',
      },
      [
        "catalog/order.ts exports `Data`; did you mean `data`?",
        "catalog/order.ts exports `dataSchema`; did you mean `dataschema`?",
        "catalog/order.ts exports `typ`; did you mean `type`?",
      ],
    ],
    [
      "one export more",
      { "order.ts": `${eventType("order")}export const anExampleOfAnOrderThatIsLong = {};\n` },
      ["catalog/order.ts exports `anExampleOfAnOrderThatIsLong`, which is no part of an event type"],
    ],
    [
      "a default export",
      { "order.ts": 'import * as z from "zod";\nexport default { type: "order", data: z.any() };\n' },
      [
        "catalog/order.ts exports `default`, which is no part of an event type",
        "catalog/order.ts exports no `type`",
        "catalog/order.ts exports no `data`",
      ],
    ],
    [
      "an empty type",
      { "a.ts": eventType("") },
      ["catalog/a.ts has a `type` that no event can have: must not be empty"],
    ],
    [
      "a type that is longer than that of an event",
      { "a.ts": eventType("x".repeat(257)) },
      ["catalog/a.ts has a `type` that no event can have: has 257 bytes, at most 256 are allowed"],
    ],
    [
      "a dataschema that is no string",
      { "a.ts": `${eventType("a")}export const dataschema = 1;\n` },
      ["catalog/a.ts has a `dataschema` that no event can have: Invalid input: expected string, received number"],
    ],
    [
      "data that is no schema",
      { "a.ts": eventType("a", "{ n: z.int() }") },
      ["catalog/a.ts has a `data` that is no schema of zod 4"],
    ],
    [
      "a schema of zod 3",
      { "a.ts": eventType("a", "z3.object({})").replace('"zod"', '"zod"; import * as z3 from "zod/v3"') },
      ["catalog/a.ts has a `data` that is no schema of zod 4"],
    ],
    [
      "a schema that throws when it is read",
      { "a.ts": eventType("a", 'z.lazy(() => { throw new Error("not yet"); })') },
      ["catalog/a.ts has a `data` that cannot be written as JSON Schema, which GET /schemas needs: not yet"],
    ],
    [
      "another kind of file",
      { "order.js": "", "order.mts": "", "order.ts": eventType("order") },
      [
        "catalog/order.js is not read: its name must end with .ts",
        "catalog/order.mts is not read: its name must end with .ts",
      ],
    ],
    [
      "an event type in a folder",
      { "orders/placed.ts": eventType("order.placed") },
      ["catalog/orders/placed.ts is an event type in a folder: move it to catalog/ itself"],
    ],
    [
      "measures that are no list",
      { "a.ts": `${eventType("a")}export const measures = "/n";\n` },
      ["catalog/a.ts has `measures` that are no list of at most 8 JSON Pointers into `data`"],
    ],
    [
      "more measures than a type may have",
      {
        "a.ts": `${eventType("a")}export const measures = ${JSON.stringify("abcdefghi".split("").map((key) => `/${key}`))};\n`,
      },
      ["catalog/a.ts has `measures` that are no list of at most 8 JSON Pointers into `data`"],
    ],
    [
      "a measure that is no JSON Pointer into the data, or is named twice",
      { "a.ts": `${eventType("a")}export const measures = ["n", "", "/n/-1", 1, "/n", "/n"];\n` },
      [
        ...['"n"', '""', '"/n/-1"', "1"].map(
          (measure) =>
            `catalog/a.ts has ${measure} in \`measures\`, which is no JSON Pointer into \`data\`, such as /total, with at most 8 keys`,
        ),
        "catalog/a.ts names /n twice in `measures`",
      ],
    ],
    [
      "a misspelt name of the measures",
      { "a.ts": `${eventType("a")}export const measure = ["/n"];\n` },
      ["catalog/a.ts exports `measure`; did you mean `measures`?"],
    ],
    [
      "indexed fields that are no list, or more than a type may have",
      {
        "a.ts": `${eventType("a")}export const indexed = { n: true };\n`,
        "b.ts": `${eventType("b")}export const indexed = ${JSON.stringify(Array.from({ length: INDEXED_MAX + 1 }, (_, i) => `/${i}`))};\n`,
      },
      ["a", "b"].map(
        (name) => `catalog/${name}.ts has \`indexed\` that are no list of at most 8 JSON Pointers into \`data\``,
      ),
    ],
    [
      "an indexed field that no version of the type has",
      {
        "a.ts": `${eventType("a", "z.object({ n: z.int(), old: z.string() })")}export const indexed = ["/n", "/m"];\n`,
        "a-2.ts": `${eventType("a", "z.object({ n: z.int(), items: z.array(z.object({ sku: z.string() })) })", "urn:2")}export const indexed = ["/old", "/items/sku", "/items/0/sku"];\n`,
      },
      [
        ["a", "/m"],
        ["a-2", "/items/0/sku"],
      ].map(
        ([file, pointer]) =>
          `catalog/${file}.ts has ${pointer} in \`indexed\`, which no version of a has in its \`data\`. Name keys of objects alone; they lead through the elements of arrays`,
      ),
    ],
    [
      "a misspelt name of the indexed fields",
      { "a.ts": `${eventType("a")}export const index = ["/n"];\n` },
      ["catalog/a.ts exports `index`; did you mean `indexed`?"],
    ],
    [
      "two files with one type and one dataschema",
      { "a.ts": eventType("t", undefined, "urn:1"), "b.ts": eventType("t", undefined, "urn:1") },
      ["catalog/b.ts and catalog/a.ts both have the type t and the dataschema urn:1"],
    ],
    [
      "two files with one type and no dataschema",
      { "order.ts": eventType("order"), "order copy.ts": eventType("order") },
      ["catalog/order copy.ts and catalog/order.ts both have the type order and no dataschema"],
    ],
    [
      "a later version without dataschema, which no event could name",
      { "t.ts": eventType("t", undefined, "urn:1"), "t-2.ts": eventType("t") },
      ["catalog/t-2.ts lacks `dataschema`: catalog/t.ts is the oldest version of t, and only it may have none"],
    ],
    [
      "several files",
      { "a.ts": "", "b.ts": eventType("") },
      [
        "catalog/a.ts exports no `type`",
        "catalog/a.ts exports no `data`",
        "catalog/b.ts has a `type` that no event can have: must not be empty",
      ],
    ],
  ])("a fault in the catalog is named with its file: %s", async (_name, files, faults) => {
    expect((await faultsOf(files)).toSorted()).toEqual(faults.toSorted());
  });

  it("a fault in the syntax of a file is named with its line", async () => {
    const [fault, ...others] = await faultsOf({
      "bad.ts": "export const type = 'a';\nexport const data = z.object({;\n",
    });

    expect(fault).toMatch(/^catalog\/bad\.ts does not load: .+\(catalog\/bad\.ts:2\)$/);
    expect(others).toEqual([]);
  });

  it.each([
    ["a refinement", "z.object({ n: z.string().refine(async () => true) })"],
    ["a refinement that is not declared async", "z.array(z.string().refine(() => Promise.resolve(true)))"],
    ["a refinement that fails later", "z.string().refine(() => Promise.reject(new Error('later')))"],
    ["a super-refinement", "z.union([z.string(), z.int().superRefine(async () => undefined)])"],
    ["a check", "z.string().check(async () => undefined)"],
    ["a transform", "z.record(z.string(), z.string().transform(async (text) => text).optional())"],
    ["a preprocess", "z.tuple([z.preprocess(async (value) => value, z.string())])"],
    ["a codec", "z.codec(z.string(), z.int(), { decode: async (text) => 1, encode: String })"],
    ["a custom schema", "z.intersection(z.any(), z.custom(async () => true))"],
    ["a promise", "z.object({ n: z.promise(z.string()) })"],
    ["a lazy schema", "z.lazy(() => z.string().refine(async () => true))"],
    ["a schema in what follows a transform", "z.string().transform(Number).pipe(z.int().refine(async () => true))"],
  ])("a fault in the catalog is what answers by a promise: %s", async (_name, data) => {
    expect(await faultsOf({ "a.ts": eventType("a", data) })).toEqual([
      "catalog/a.ts has a `data` with an asynchronous check or transform; ingest needs its answer at once",
    ]);
  });

  it.each([
    [
      "a union whose options have the same mark",
      'z.discriminatedUnion("k", [z.object({ k: z.literal("a") }), z.object({ k: z.literal("a"), n: z.int() })])',
    ],
    ["a lazy schema that is itself", "(() => { const self = z.lazy(() => self); return self; })()"],
  ])("a fault in the catalog is a schema that can check no value: %s", async (_name, data) => {
    expect(await faultsOf({ "a.ts": eventType("a", data) })).toEqual([
      expect.stringMatching(/^catalog\/a\.ts has a `data` that (can check no value|cannot be written)/),
    ]);
  });

  it.each([
    ["a date", "z.object({ at: z.date() })", "a date, which JSON does not have: write z.iso.datetime()"],
    ["a bigint", "z.array(z.bigint())", "a bigint, which JSON does not have: write z.int()"],
    ["a map", "z.map(z.string(), z.int())", "a map, which JSON does not have: write z.record()"],
    ["a set", "z.set(z.string()).optional()", "a set, which JSON does not have: write z.array()"],
  ])("a fault in the catalog is what no JSON can match: %s", async (_name, data, why) => {
    expect(await faultsOf({ "a.ts": eventType("a", data) })).toEqual([
      expect.stringContaining(`has a \`data\` with ${why}`),
    ]);
  });

  it.each([
    ["a date that is made of text", "z.object({ at: z.coerce.date() })"],
    ["a date that a transform makes", "z.iso.datetime().transform((text) => new Date(text)).pipe(z.date())"],
    ["one that refers to itself", "z.object({ get child() { return z.lazy(() => z.object({})).optional(); } })"],
    ["a tree", "(() => { const node = z.object({ get nodes() { return z.array(node); } }); return node; })()"],
    ["a check that throws for undefined", "z.string().refine((text) => text.length > 1)"],
    ["a transform that throws for undefined", "z.string().transform((text) => text.trim())"],
    ["a schema of zod/mini", 'mini.object({ n: mini.string() }); import * as mini from "zod/mini"'],
  ])("a schema is no fault: %s", async (_name, data) => {
    expect(await faultsOf({ "a.ts": eventType("a", data) })).toEqual([]);
  });

  it("a fault in the catalog comes with what a file of it exports", async () => {
    await expect(read({ "a.ts": "" })).rejects.toThrow(
      "A file of catalog/ is one event type and exports `type`, `data` and, if wanted, `dataschema` to name its version, `measures`, `indexed` and `retention`. " +
        "What several event types use belongs in a folder, for example catalog/parts/.",
    );
  });
});
