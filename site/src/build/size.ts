const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Formats a number of bytes: 1,610,612,736 → `1.5 GiB`. */
export function sizeOf(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = (bytes / 1024 ** power).toLocaleString('en', { maximumFractionDigits: 1 });
  return `${value} ${UNITS[power]}`;
}
