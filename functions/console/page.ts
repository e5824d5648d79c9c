/**
 * The headers of the page. It runs its own script alone, asks its own origin alone, is in no frame, and makes no HTML of text.
 * @see https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/trusted-types/
 */
export const PAGE_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-cache",
};

/** The headers of its files. */
export const FILE_HEADERS = {
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "public, max-age=31536000, immutable",
  vary: "accept-encoding",
};
