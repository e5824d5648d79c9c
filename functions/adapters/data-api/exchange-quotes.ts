const QUOTES: Record<string, string> = { '"': "'", "'": '"' };

/**
 * Exchanges single and double quotation marks, and exchanged once more gives the text back. The Data API is paid for by the bytes
 * of its JSON, which escapes the double ones: every tenth character of an event.
 */
export const exchangeQuotes = (text: string): string => text.replace(/["']/g, (quote) => QUOTES[quote] ?? quote);
