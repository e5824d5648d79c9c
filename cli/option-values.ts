const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Parses a duration such as `90s`, `30m`, `2h`, `3d` or `1w` to milliseconds. @throws Error that names the option */
export function duration(option: string) {
  return (text: string): number => {
    const [, count, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
    if (count === undefined || Number(count) === 0)
      throw new Error(`${option} takes a duration such as 90s, 30m, 2h, 3d or 1w, not ${text}.`);
    return Number(count) * UNITS[unit as keyof typeof UNITS];
  };
}

/** Parses a whole number above zero. @throws Error that names the option */
export function positiveInteger(option: string) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
      throw new Error(`${option} takes a whole number above 0, not ${text}.`);
    return value;
  };
}

/** Parses a TCP port; 0 stands for any free one. @throws Error that names the option */
export function port(option: string) {
  return (text: string): number => {
    if (/^\d+$/.test(text) && Number(text) <= 65_535) return Number(text);
    throw new Error(`${option} takes a number from 0 to 65535, not ${text}.`);
  };
}

/** Parses a URL of http or https. @throws Error that names the option, and the URL that was probably meant */
export function httpUrl(option: string, example: string) {
  return (text: string): string => {
    const url = URL.parse(text);
    if (url === null || !["http:", "https:"].includes(url.protocol)) {
      const scheme = /^ht+ps/i.test(text) ? "https" : "http";
      const meant = URL.parse(`${scheme}://${text.replace(/^\w*:?\/\//, "")}`);
      const question = meant === null ? "" : ` Did you mean ${meant.href}?`;
      throw new Error(`${option} takes a URL such as ${example}, not ${text}.${question}`);
    }
    if (url.username !== "" || url.password !== "")
      throw new Error(`${option} takes a URL without a user name and a password.`);
    return url.href;
  };
}

/** Parses the URL of an API, without a slash at its end. @throws Error that names the option and what to leave out */
export function apiUrl(option: string) {
  return (text: string): string => {
    const { href, search, hash } = new URL(httpUrl(option, "http://127.0.0.1:4800")(text));
    const extra = search + hash;
    if (extra !== "") throw new Error(`${option} takes the URL of the API. Leave out ${extra}`);
    const url = href.replace(/\/+$/, "");
    if (url.endsWith("/events")) throw new Error(`${option} takes the URL of the API. Leave out /events`);
    return url;
  };
}
