import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SELECT_MAX_PATHS, SELECT_MAX_STEPS, SELECT_PATH_MAX_BYTES } from "../../../functions/core/list-limits.ts";
import { project, toSelection } from "../../../functions/core/selection.ts";
import { jsonData } from "../../support/event-samples.ts";

const select = (...paths: string[]) =>
  toSelection(paths, (fault) => {
    throw new Error(fault);
  });

describe("select", () => {
  const json =
    '{"id" : "1","type":"a.b","data":{"total": 1.50, "big": 12345678901234567890, "a.b": [1, {"x": "}"}], "n": null, "o": {"p": {}}}, "e":"\\"{"}';

  it.each([
    [["id"], '{"id":"1"}'],
    [["type", "id"], '{"id":"1","type":"a.b"}'],
    [["data.total", "data.big"], '{"data":{"total":1.50,"big":12345678901234567890}}'],
    [["/data/a.b"], '{"data":{"a.b":[1, {"x": "}"}]}}'],
    [["data.n", "e"], '{"data":{"n":null},"e":"\\"{"}'],
    [["data.o.p"], '{"data":{"o":{"p":{}}}}'],
    [["data.total", "data"], `{"data":${json.slice(json.indexOf('{"total'), json.indexOf(', "e"'))}}`],
    [["data.none", "none", "id.x", "data.o.p.q", "data.n.x", "/data/a.b/0"], "{}"],
  ])("select keeps the members of the paths %j as they are written", (paths, kept) => {
    expect(project(json, select(...paths))).toBe(kept);
  });

  it("select finds a member whose name is written with escapes", () => {
    expect(project('{"a\\"b":1,"\\u00e9":2,"c/d~e":3}', select('a"b', "é", "/c~1d~0e"))).toBe(
      '{"a\\"b":1,"\\u00e9":2,"c/d~e":3}',
    );
  });

  it("select of all members of any JSON is that JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), jsonData, { noNullPrototype: true }), (object) => {
        const names = Object.keys(object).map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`);
        fc.pre(names.length <= SELECT_MAX_PATHS);

        expect(JSON.parse(project(JSON.stringify(object, undefined, 1), select(...names)))).toEqual(object);
      }),
    );
  });

  it.each([
    ["an empty path", [""], 'has the path "", in which a name is empty'],
    ["an empty name", ["data..x"], 'has the path "data..x", in which a name is empty'],
    ["a pointer without a name", ["/"], 'has the path "/", in which a name is empty'],
    [
      "too many paths",
      Array.from({ length: SELECT_MAX_PATHS + 1 }, (_, i) => `a${i}`),
      `names ${SELECT_MAX_PATHS + 1} members; the most are ${SELECT_MAX_PATHS}`,
    ],
    ["too many names", [Array.from({ length: SELECT_MAX_STEPS + 1 }, () => "a").join(".")], "of more than 9 names"],
    ["a long path", ["é".repeat(SELECT_PATH_MAX_BYTES / 2 + 1)], `has a path over ${SELECT_PATH_MAX_BYTES} bytes`],
  ])("select refuses %s and says why", (_what, paths, fault) => {
    expect(() => select(...paths)).toThrow(fault);
  });

  it("select takes as many paths, names and bytes as its limits say", () => {
    const paths = Array.from({ length: SELECT_MAX_PATHS - 1 }, (_, i) => `a${i}`);

    expect(select(...paths, Array.from({ length: SELECT_MAX_STEPS }, () => "b").join(".")).size).toBe(SELECT_MAX_PATHS);
    expect(select("é".repeat(SELECT_PATH_MAX_BYTES / 2)).size).toBe(1);
  });
});
