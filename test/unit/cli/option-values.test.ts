import { describe, expect, it } from "vitest";
import { apiUrl, duration, port, positiveInteger } from "../../../cli/option-values.ts";

describe("a duration", () => {
  it.each([
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["3d", 259_200_000],
    ["1w", 604_800_000],
  ])("%s is %i ms", (text, milliseconds) => {
    expect(duration("--older-than")(text)).toBe(milliseconds);
  });

  it.each(["", "2", "h", "0h", "-2h", "2.5h", "2 h", "2H", "1y"])(
    "%j is refused with the name of the option",
    (text) => {
      expect(() => duration("--older-than")(text)).toThrow("--older-than takes a duration such as 90s");
    },
  );
});

describe("a whole number above zero", () => {
  it("is decimal digits and nothing else", () => {
    expect(positiveInteger("--limit")("1000")).toBe(1_000);
  });

  it.each(["", "0", "-1", "1.5", "1e3", "0x10", " 5", "99999999999999999999", "many"])("is not %j", (text) => {
    expect(() => positiveInteger("--limit")(text)).toThrow("--limit takes a whole number above 0");
  });
});

describe("a port", () => {
  it.each(["0", "4800", "65535"])("may be %s", (text) => {
    expect(port("--port")(text)).toBe(Number(text));
  });

  it.each(["", "65536", "-1", "http", "48.5", "4800 "])("is not %j", (text) => {
    expect(() => port("--port")(text)).toThrow("--port takes a number from 0 to 65535");
  });
});

describe("the URL of an API", () => {
  it.each([
    ["http://127.0.0.1:4800", "http://127.0.0.1:4800"],
    ["http://127.0.0.1:4800/", "http://127.0.0.1:4800"],
    [
      "https://a1.execute-api.eu-central-1.amazonaws.com/prod/",
      "https://a1.execute-api.eu-central-1.amazonaws.com/prod",
    ],
    ["HTTP://[::1]:4800", "http://[::1]:4800"],
  ])("may be %s", (text, url) => {
    expect(apiUrl("--url")(text)).toBe(url);
  });

  it.each([
    ["localhost:4800", "Did you mean http://localhost:4800/?"],
    ["127.0.0.1:4800", "Did you mean http://127.0.0.1:4800/?"],
    ["htp://127.0.0.1:4800", "Did you mean http://127.0.0.1:4800/?"],
    ["htps://example.com/prod", "Did you mean https://example.com/prod?"],
    ["https//example.com/prod", "Did you mean https://example.com/prod?"],
    ["example.com/prod", "Did you mean http://example.com/prod?"],
    ["file:///etc/passwd", "--url takes a URL such as http://127.0.0.1:4800"],
    ["http://user:secret@example.com", "without a user name and a password"],
    ["http://example.com/prod/events", "Leave out /events"],
    ["http://example.com/prod?x=1#y", "Leave out ?x=1#y"],
  ])("is not %s", (text, advice) => {
    expect(() => apiUrl("--url")(text)).toThrow(advice);
    expect(() => apiUrl("--url")(text)).not.toThrow("secret");
  });
});
