/** Returns a number with its noun: "1 server", "2 servers". */
export function pluralize(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
