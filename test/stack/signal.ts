/**
 * The only way that the stack and the tests send a signal to a process by its id. `process.kill` takes 0 and negative
 * ids for whole process groups: one missing id, and a test stops or kills the shell that has started it.
 */

/**
 * Sends a signal to one process. Throws if `pid` is not the id of a single process: undefined (it has ended, or was
 * never started), 0, 1 or negative.
 */
export function signal(pid: number | undefined, name: NodeJS.Signals): void {
  process.kill(idOf(pid, name), name);
}

/** Sends a signal to the process group of a process that leads one (spawned `detached`). Throws as {@link signal}. */
export function signalGroup(leader: number | undefined, name: NodeJS.Signals): void {
  process.kill(-idOf(leader, name), name);
}

function idOf(pid: number | undefined, name: NodeJS.Signals): number {
  if (pid !== undefined && Number.isSafeInteger(pid) && pid > 1) return pid;
  throw new Error(`Cannot send ${name}: ${pid} is not a process ID. Has the process exited?`);
}
