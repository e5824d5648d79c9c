import { describe, expect, it } from "vitest";
import { onlyAllowed } from "../../../functions/ingest/allowed.ts";
import type { Validated } from "../../../functions/core/validate.ts";
import { adminOf } from "../../support/principal.ts";

const valid = { kind: "valid", event: { id: "e-1", type: "com.example.one", source: "/s" } } as Validated;

describe("the types and sources of a key", () => {
  it.each([
    ["a key without patterns", {}],
    ["a key whose patterns match", { types: ["x", "com.example.*"], sources: ["/s"] }],
  ])("leave a valid event as it is for %s", (_name, allowed) => {
    expect(onlyAllowed([valid], adminOf("t", allowed))[0]).toBe(valid);
  });

  it("make an event of another type or source invalid, with an error for each that names what the key may send", () => {
    expect(onlyAllowed([valid], adminOf("t", { types: ["com.example"], sources: ["/t/*"] }))[0]).toEqual({
      kind: "invalid",
      id: "e-1",
      errors: [
        { path: "/type", code: "not_allowed", message: expect.stringContaining("(com.example)") },
        { path: "/source", code: "not_allowed", message: expect.stringContaining("(/t/*)") },
      ],
    });
  });

  it("let a key with an empty list send nothing", () => {
    expect(onlyAllowed([valid], adminOf("t", { types: [] }))).toMatchObject([{ kind: "invalid" }]);
  });

  it("leave the errors of an invalid event as they are", () => {
    const invalid: Validated = { kind: "invalid", id: "e-1", errors: [] };

    expect(onlyAllowed([invalid], adminOf("t", { types: [] }))[0]).toBe(invalid);
  });

  it("name only the first patterns of a long list", () => {
    const types = Array.from({ length: 32 }, (_, index) => `type-${index}`);

    expect(JSON.stringify(onlyAllowed([valid], adminOf("t", { types })))).toContain("type-4, …");
    expect(JSON.stringify(onlyAllowed([valid], adminOf("t", { types })))).not.toContain("type-5");
  });
});
