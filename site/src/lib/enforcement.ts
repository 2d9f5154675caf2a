/** What a revocation's answer says about the servers that must honour it: the header `Latchkey-Enforcement`. */

/** See the file's description. `acknowledged` equals `servers` once it is enforced. */
export interface Enforcement {
  state: 'enforced' | 'pending';
  acknowledged: number;
  servers: number;
}

/** Reads the header; undefined where the API says nothing about servers, and then nothing may be claimed. */
export function enforcementOf(headers: Headers): Enforcement | undefined {
  const [state, ...members] = headers.get('Latchkey-Enforcement')?.split(/\s*;\s*/) ?? [];
  if (state !== 'enforced' && state !== 'pending') return undefined;
  const numbers = Object.fromEntries(members.map((member) => member.split('=')));
  const servers = Number(numbers.servers ?? 0);
  return {
    state,
    servers,
    acknowledged: state === 'enforced' ? servers : Number(numbers.acknowledged ?? 0),
  };
}

/** The receipt that a person reads, beginning with a space; empty where nothing is known. */
export function receipt(enforcement: Enforcement | undefined): string {
  if (!enforcement) return '';
  const { state, acknowledged, servers } = enforcement;
  if (state === 'pending') return ` ${acknowledged} of ${servers} servers have confirmed so far.`;
  return ` ${servers} of ${servers} servers confirmed.`;
}
