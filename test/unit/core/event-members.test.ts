import { describe, expect, it } from "vitest";
import { readTraceparentOf } from "../../../functions/core/event-members.ts";

describe("the trace of an event's text", () => {
  it.each([
    ['{"id":"1","traceparent":"00-a","data":{"traceparent":"00-b"}}', "00-a"],
    ['{"id":"1","data":{"traceparent":"00-b"},"traceparent":"00-a"}', "00-a"],
    ['{ "traceparent" : "\\u0030" }', "0"],
    ['{"id":"1","data":{"traceparent":"00-b"}}', undefined],
    ['{"id":"\\"traceparent\\":\\"00-c\\"","data":"\\"traceparent\\""}', undefined],
    ['{"id":"1"}', undefined],
  ])("the trace of %s is %s", (event, traceparent) => {
    expect(readTraceparentOf(event)).toBe(traceparent);
  });
});
