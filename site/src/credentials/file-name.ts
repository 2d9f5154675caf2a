/** Names for files that people download, and for what is in them. */

/** A file name without its ending that needs no quoting in a shell, from a name that people chose. */
export function fileStem(name: string, otherwise: string): string {
  const stem = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}_]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return stem.slice(0, 60) || otherwise;
}

/** A word of ASCII letters, digits and hyphens, from a name that people chose: a name that every tool accepts. */
export function asciiWord(name: string, otherwise: string): string {
  const word = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return word.slice(0, 60) || otherwise;
}
