/** What the local stack keeps in its state folder: the Owner, the secrets, the schedule's reading of cron. */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, openDatabase } from '../stack/databases.ts';
import { ensureOwner } from '../stack/owner.ts';
import { root } from '../stack/project.ts';
import { isDue } from '../stack/schedule.ts';
import { ensureSecrets } from '../stack/secrets.ts';

let state: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'latchkey-state-'));
});

afterEach(() => rmSync(state, { recursive: true }));

describe('the Owner of a state folder', () => {
  const named = () => join(state, 'owner.json');
  const draft = () => join(state, 'owner.json.new');

  function newDatabase(name: string): string {
    const file = join(state, name);
    const database = openDatabase(file);
    migrate(database, join(root, 'db/identity/migrations'));
    database.close();
    return file;
  }

  it('is created once', async () => {
    const file = newDatabase('identity');
    const owner = await ensureOwner(state, file);
    expect(owner).toEqual(JSON.parse(readFileSync(named(), 'utf8')));
    expect(await ensureOwner(state, file)).toEqual(owner);
    expect(existsSync(draft())).toBe(false);
  });

  it('is kept when the database was written and the file had not got its name', async () => {
    const file = newDatabase('identity');
    const owner = await ensureOwner(state, file);
    renameSync(named(), draft());
    expect(await ensureOwner(state, file)).toEqual(owner);
    expect(existsSync(named())).toBe(true);
  });

  it('is made anew when the file was written and the database was not', async () => {
    const lost = await ensureOwner(state, newDatabase('other'));
    renameSync(named(), draft());
    const owner = await ensureOwner(state, newDatabase('identity'));
    expect(owner?.organization_id).not.toBe(lost?.organization_id);
    expect(JSON.parse(readFileSync(named(), 'utf8'))).toEqual(owner);
  });

  it('is never replaced when its file was removed', async () => {
    const file = newDatabase('identity');
    await ensureOwner(state, file);
    rmSync(named());
    expect(await ensureOwner(state, file)).toBeUndefined();
    expect(existsSync(named())).toBe(false);
  });
});

describe('the secrets of a state folder', () => {
  it('stay, and a new region gets its own', async () => {
    const before = await ensureSecrets(state, ['fr-par']);
    const after = await ensureSecrets(state, ['fr-par', 'pl-waw']);
    expect(after.worker).toMatchObject(before.worker);
    expect(after.operatorJwt).toBe(before.operatorJwt);
    expect(Object.keys(after.worker)).toContain('SYSTEM_SEED_PL_WAW');
    expect(after.systemAccounts['pl-waw']).not.toBe(after.systemAccounts['fr-par']);
  });
});

describe('the schedule', () => {
  it.each([
    ['* * * * *', '2026-01-01T10:07:00Z', true],
    ['*/5 * * * *', '2026-01-01T10:05:59Z', true],
    ['*/5 * * * *', '2026-01-01T10:07:00Z', false],
    ['30 4 * * *', '2026-01-01T04:30:00Z', true],
    ['30 4 * * *', '2026-01-01T05:30:00Z', false],
    ['0,30 * 1 * *', '2026-01-01T05:30:00Z', true],
    ['0 0 * * 0', '2026-01-04T00:00:00Z', true],
  ])('reads %s at %s', (cron, time, due) => expect(isDue(cron, new Date(time))).toBe(due));

  it('refuses what it cannot read', () => {
    expect(() => isDue('0-5 * * * *', new Date())).toThrow('does not read');
    expect(() => isDue('* * *', new Date())).toThrow('Not a cron expression');
  });
});
