/** Returns a file name without extension that needs no quoting in a shell. */
export function fileStem(name: string, otherwise: string): string {
  const stem = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}_]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return stem.slice(0, 60) || otherwise;
}

/** Returns a word of ASCII letters, digits and hyphens, which all tools accept. */
export function asciiWord(name: string, otherwise: string): string {
  const word = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return word.slice(0, 60) || otherwise;
}
