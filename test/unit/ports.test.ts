/** Ports for servers that do not listen yet: each is reserved for one caller. */
import { expect, it } from 'vitest';
import { freePort } from '../stack/ports.ts';

it('a free port is returned once', async () => {
  const ports = await Promise.all(Array.from({ length: 300 }, freePort));
  expect(new Set(ports).size).toBe(300);
});
