/** Ports for servers that do not listen yet: nobody else may be given them meanwhile. */
import { expect, it } from 'vitest';
import { freePort } from '../stack/ports.ts';

it('a free port is given once', async () => {
  const ports = await Promise.all(Array.from({ length: 300 }, freePort));
  expect(new Set(ports).size).toBe(300);
});
