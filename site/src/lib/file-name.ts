/** Names for files that people download. */

/** A file name without its ending that needs no quoting in a shell, from a name that people chose. */
export function fileStem(name: string, otherwise: string): string {
  const stem = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}_]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return stem.slice(0, 60) || otherwise;
}
