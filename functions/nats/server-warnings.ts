/** Warns operators about a server with known faults or a wrong clock. Logs once per server and isolate. */
import { faultsOf, isSupported } from './versions.ts';

/** Clock differences below this are ignored: replies take time, and no clock is exact. */
const MAX_CLOCK_SKEW_MS = 30_000;

const warned = new Set<string>();
const MAX_WARNED = 10_000;

/** Logs problems of a server from its reply: `ver` is its version, `time` its clock. */
export function warnAboutServer(
  region: string,
  { id, name, ver = '', time }: { id: string; name: string; ver?: string; time?: string },
): void {
  const ahead = time === undefined ? 0 : Date.parse(time) - Date.now();
  const off = Math.abs(ahead) > MAX_CLOCK_SKEW_MS;
  if (isSupported(ver) && !off) return;
  const key = `${region} ${id} ${off}`;
  if (warned.has(key) || warned.size >= MAX_WARNED) return;
  warned.add(key);
  const server = { nats_server: name, region, version: ver };
  if (!isSupported(ver)) {
    const faults = faultsOf(ver).map((fault) => fault.id);
    console.warn(JSON.stringify({ ...server, reason: 'this version is not supported; update it', faults }));
  }
  if (off) {
    const seconds = Math.round(ahead / 1000);
    const reason = `its clock is ${Math.abs(seconds)} seconds ${seconds > 0 ? 'ahead' : 'behind'}, so it expires JWTs at the wrong time`;
    console.warn(JSON.stringify({ ...server, reason }));
  }
}
