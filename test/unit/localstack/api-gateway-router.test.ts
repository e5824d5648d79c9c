import { describe, expect, it } from "vitest";
import { createRouter } from "../../../localstack/api-gateway/router.ts";

/** Every route's function is named after it. */
function routerOf(...routes: string[]) {
  const router = createRouter(
    routes.map((functionArn) => {
      const [method = "", path = ""] = functionArn.split(" ");
      return { method, path, functionArn };
    }),
  );
  return (request: string) => {
    const [method = "", path = ""] = request.split(" ");
    return router(method, path);
  };
}

describe("the router of a REST API", () => {
  it("the router of a REST API prefers literal segments to parameters, and these to greedy ones", () => {
    const routes = ["GET /{proxy+}", "GET /events/{id}", "GET /events/{id}/log", "GET /events/schema"];

    for (const route of [routerOf(...routes), routerOf(...routes.toReversed())]) {
      expect(route("GET /events/schema")?.functionArn).toBe("GET /events/schema");
      expect(route("GET /events/1")?.functionArn).toBe("GET /events/{id}");
      expect(route("GET /events/1/log")?.functionArn).toBe("GET /events/{id}/log");
      expect(route("GET /events/1/log/2")?.functionArn).toBe("GET /{proxy+}");
      expect(route("GET /events")?.functionArn).toBe("GET /{proxy+}");
    }
  });

  it("the router of a REST API returns encoded parameter values, or null without parameters", () => {
    const route = routerOf("GET /a/{one}/b/{two}", "GET /files/{proxy+}", "GET /plain");

    expect(route("GET /a/1%2F2/b/x")?.pathParameters).toEqual({ one: "1%2F2", two: "x" });
    expect(route("GET /files/a//b%20c/")?.pathParameters).toEqual({ proxy: "a//b%20c" });
    expect(route("GET /plain")?.pathParameters).toBeNull();
  });

  it("the router of a REST API ignores slashes at the end", () => {
    expect(routerOf("GET /events")("GET /events//")?.resource).toBe("/events");
  });

  it("the router of a REST API has no empty parameter", () => {
    const route = routerOf("GET /a/{id}", "GET /b/{proxy+}", "GET /a/{id}/c");

    expect(["GET /a/", "GET /b/", "GET /a//c"].map(route)).toEqual([undefined, undefined, undefined]);
  });

  it("the router of a REST API takes ANY for the seven methods of API Gateway, after the method itself", () => {
    const route = routerOf("ANY /events", "POST /events");

    expect(route("POST /events")?.functionArn).toBe("POST /events");
    expect(route("DELETE /events")?.functionArn).toBe("ANY /events");
    expect(route("PROPFIND /events")).toBeUndefined();
  });

  it("the router of a REST API tries no other resource when the most specific one lacks the method", () => {
    expect(routerOf("POST /events", "ANY /{proxy+}")("GET /events")).toBeUndefined();
  });

  it("the router of a REST API answers the root", () => {
    expect(routerOf("GET /")("GET /")?.resource).toBe("/");
  });
});
