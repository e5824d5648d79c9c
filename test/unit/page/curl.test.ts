import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { toCurl } from "../../../console/api/curl.ts";

/** The words that a shell makes of a command. */
function wordsOf(command: string): string[] {
  const script = `set -- ${command}\nfor word in "$@"; do printf '%s\\0' "$word"; done`;
  const output = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8", env: { SLUICE_API_KEY: "the-key" } });
  return output.split("\0").slice(0, -1);
}

describe("a request as a command", () => {
  it("reads the key from the variable that the commands of the project read", () => {
    const command = toCurl({ method: "GET", url: "https://api.example/prod/events?type=a%26b" });

    expect(command).toBe(
      `curl 'https://api.example/prod/events?type=a%26b' -H "Authorization: Bearer $SLUICE_API_KEY"`,
    );
    expect(wordsOf(command)).toContain("Authorization: Bearer the-key");
  });

  it.each([`it's "so"`, "$(touch /tmp/x) `id` $HOME", "a\nb", "\\", "!!", "&& rm", "ä😀"])(
    "gives a body with %j to curl as it is",
    (text) => {
      const body = JSON.stringify({ text });
      const command = toCurl({
        method: "POST",
        url: "https://api.example/events",
        tenant: text,
        body,
        headers: { "content-type": "application/json" },
      });

      const words = wordsOf(command);

      expect(words.at(-1)).toBe(body);
      expect(words).toContain(`Sluice-Tenant: ${text}`);
      expect(words.slice(0, 4)).toEqual(["curl", "-X", "POST", "https://api.example/events"]);
    },
  );
});
