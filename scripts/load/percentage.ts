/** Parses a percentage from 0 to 100 to a share. @throws Error that names the option */
export function percentage(option: string) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= 0 && value <= 100))
      throw new Error(`${option} takes a percentage from 0 to 100, not ${text}.`);
    return value / 100;
  };
}
