import { effect, signal } from "@preact/signals";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "sluice-theme";

/** The choice of the user, which this browser keeps. */
export const theme = signal<Theme>("system");

const prefersDark = signal(false);

/** True where the page is dark now. Charts draw with colours of their own. */
export const isDark = signal(false);

/** Applies the theme to the document, from now on. */
export function followTheme(): void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  prefersDark.value = media.matches;
  media.addEventListener("change", () => {
    prefersDark.value = media.matches;
  });
  theme.value = stored();
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    isDark.value = theme.value === "dark" || (theme.value === "system" && prefersDark.value);
  });
}

export function setTheme(next: Theme): void {
  theme.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing has the theme until the page is closed.
  }
}

function stored(): Theme {
  try {
    const text = localStorage.getItem(KEY);
    return THEMES.find((each) => each === text) ?? "system";
  } catch {
    return "system";
  }
}
