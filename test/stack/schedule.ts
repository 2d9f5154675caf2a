/**
 * The local stack's scheduler, because the local runtime runs no cron triggers. Minutes are in UTC, as in a
 * deployment.
 */

/** Calls `dispatch` with each due cron expression at the start of every minute. Returns a function that stops it. */
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
 * Returns whether a cron expression is due in this minute. Supports the syntax that schedules here use: a star, a
 * star with a step, numbers and lists of numbers. Throws for anything else.
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

// The start values of minutes, hours, days, months and weekdays.
const STARTS = [0, 0, 1, 1, 0];

function matches(field: string, value: number, start: number): boolean {
  const step = /^\*(?:\/([1-9]\d*))?$/.exec(field);
  if (step) return (value - start) % Number(step[1] ?? 1) === 0;
  if (!/^\d+(,\d+)*$/.test(field))
    throw new Error(`The local scheduler does not support this cron field: ${field}`);
  return field.split(',').map(Number).includes(value);
}
