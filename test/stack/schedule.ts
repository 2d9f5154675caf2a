/**
 * The clock of the local stack: the local runtime fires no cron, so that this does. Minutes in UTC, as deployed.
 */

/** Calls `dispatch` with each cron expression that is due, at the start of every minute; returns what ends it. */
export function onSchedule(crons: readonly string[], dispatch: (cron: string) => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    timer = setTimeout(tick, 60_000 - (Date.now() % 60_000));
  };
  const tick = () => {
    const now = new Date();
    for (const cron of crons) if (isDue(cron, now)) dispatch(cron);
    wait();
  };
  wait();
  return () => clearTimeout(timer);
}

/**
 * Whether a cron expression is due in this minute. Of cron's syntax it reads what schedules here use: a star, a star
 * with a step, numbers and lists of numbers. Anything else throws.
 */
export function isDue(cron: string, now: Date): boolean {
  const values = [
    now.getUTCMinutes(),
    now.getUTCHours(),
    now.getUTCDate(),
    now.getUTCMonth() + 1,
    now.getUTCDay(),
  ];
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== values.length) throw new Error(`Not a cron expression: ${cron}`);
  return fields.every((field, index) => matches(field, values[index] as number, STARTS[index] as number));
}

// What minutes, hours, days, months and weekdays are counted from.
const STARTS = [0, 0, 1, 1, 0];

function matches(field: string, value: number, start: number): boolean {
  const step = /^\*(?:\/([1-9]\d*))?$/.exec(field);
  if (step) return (value - start) % Number(step[1] ?? 1) === 0;
  if (!/^\d+(,\d+)*$/.test(field))
    throw new Error(`The local scheduler does not support this cron field: ${field}`);
  return field.split(',').map(Number).includes(value);
}
