import { pluralize } from '../../ui/pluralize.ts';

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** Returns a duration in the largest unit that it is a multiple of: "90 days". Zero is "No limit". */
export function durationText(seconds: number): string {
  if (seconds === 0) return 'No limit';
  const [unit, size] = UNITS.find(([, length]) => seconds % length === 0) ?? ['second', 1];
  return pluralize(seconds / size, unit);
}
