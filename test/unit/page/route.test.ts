import { describe, expect, it } from "vitest";
import { parseRoute, toParams, writeRoute } from "../../../console/route.ts";

describe("the fragment", () => {
  it("names a screen, what is open on it, and its parameters", () => {
    const route = parseRoute("#/events/order%2F1/%2Fshop?type=a&type=b&data.total%5Bgte%5D=100");

    expect(route.screen).toBe("events");
    expect(route.path).toEqual(["order/1", "/shop"]);
    expect([...route.params]).toEqual([
      ["type", "a"],
      ["type", "b"],
      ["data.total[gte]", "100"],
    ]);
  });

  it.each(["", "#", "#/"])("%j names no screen, so that the first one is shown", (fragment) => {
    expect(parseRoute(fragment)).toEqual({ screen: "", path: [], params: new URLSearchParams() });
  });

  it("is read as it is where it is not valid percent-encoding", () => {
    expect(parseRoute("#/events/100%").path).toEqual(["100%"]);
  });

  it.each(["a/b", "a?b", "a#b", "ä 😀", "100%", "a&b=c"])("keeps %j as an id and as a value", (text) => {
    const params = new URLSearchParams({ subject: text });

    const route = parseRoute(writeRoute({ screen: "events", path: [text], params }));

    expect(route.path).toEqual([text]);
    expect(route.params.get("subject")).toBe(text);
  });

  it("leaves out parameters that are undefined or empty", () => {
    expect(toParams({ a: "1", b: undefined, c: "", d: ["2", "3"] }).toString()).toBe("a=1&d=2&d=3");
  });
});
