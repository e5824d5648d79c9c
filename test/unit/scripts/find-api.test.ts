import { afterEach, describe, expect, it, vi } from "vitest";
import { findApi } from "../../../scripts/send/find-api.ts";

afterEach(() => vi.unstubAllGlobals());

const URL = "http://api";
const answer = (response: () => Response) => vi.stubGlobal("fetch", async () => response());

describe("the API at a URL", () => {
  it.each([
    ["says that it is well", () => Response.json({ status: "ok" })],
    ["fails for the moment", () => new Response("Service Unavailable", { status: 503 })],
    ["is busy", () => new Response("{}", { status: 429 })],
  ])("is there when it %s", async (_name, response) => {
    answer(response);

    await expect(findApi(URL, "")).resolves.toBeUndefined();
  });

  it.each([
    ["a URL without its stage", () => Response.json({ message: "Forbidden" }, { status: 403 }), "answers 403"],
    ["a page of something else", () => new Response("<html>", { status: 200 }), "answers 200"],
    [
      "a redirect",
      () => new Response("", { status: 301, headers: { location: "https://api/health" } }),
      "answers 301, which leads to https://api/health",
    ],
  ])("is not there when the answer is %s", async (_name, response, why) => {
    answer(response);

    await expect(findApi(URL, "")).rejects.toThrow(why);
    await expect(findApi(URL, "")).rejects.toThrow("is not the API of Sluice");
  });

  it("is not there when nothing answers, with the system's reason and what to do", async () => {
    vi.unstubAllGlobals();

    await expect(findApi("http://127.0.0.1:1", "Start it.")).rejects.toThrow(
      /^Nothing answers at http:\/\/127\.0\.0\.1:1: .+\. Start it\.$/,
    );
  });
});
