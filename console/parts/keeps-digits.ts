/**
 * Whether this browser can write a number back with the digits that it was sent with: Chrome 114, Firefox 135, Safari 18.4
 * and later. Others show events all the same, and edit none.
 * @see https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/JSON/rawJSON
 */
export const KEEPS_DIGITS = "rawJSON" in JSON;
