/**
 * The only function that the stack and the tests use to signal a process by ID. `process.kill` treats 0 and negative
 * IDs as process groups: one missing ID could stop or kill the shell that started the tests.
 */

/**
 * Sends a signal to one process. Throws if `pid` is not a single process's ID: undefined (it has ended, or was never
 * started), 0, 1 or negative.
 */
export function signal(pid: number | undefined, name: NodeJS.Signals): void {
  process.kill(idOf(pid, name), name);
}

/** Sends a signal to the process group of its leader (spawned `detached`). Throws like {@link signal}. */
export function signalGroup(leader: number | undefined, name: NodeJS.Signals): void {
  process.kill(-idOf(leader, name), name);
}

function idOf(pid: number | undefined, name: NodeJS.Signals): number {
  if (pid !== undefined && Number.isSafeInteger(pid) && pid > 1) return pid;
  throw new Error(`Cannot send ${name}: ${pid} is not a process ID. Has the process exited?`);
}
