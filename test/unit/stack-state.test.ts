/** The local stack's state folder: the Owner, the secrets, the ports. Also the cron parser of its schedule. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, openDatabase } from '../stack/databases.ts';
import { ensureOwner } from '../stack/owner.ts';
import { choosePorts, freePort, PortTaken, portOf } from '../stack/ports.ts';
import { root } from '../stack/project.ts';
import { isDue } from '../stack/schedule.ts';
import { ensureSecrets } from '../stack/secrets.ts';
import { claimStateFolder, emptyFolder } from '../stack/state-folder.ts';

let state: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'latchkey-state-'));
});

afterEach(() => rmSync(state, { recursive: true }));

describe('the Owner in a state folder', () => {
  const named = () => join(state, 'owner.json');
  const temporary = () => join(state, 'owner.json.new');

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
    expect(existsSync(temporary())).toBe(false);
  });

  it('is kept after a crash between writing the database and renaming the file', async () => {
    const file = newDatabase('identity');
    const owner = await ensureOwner(state, file);
    renameSync(named(), temporary());
    expect(await ensureOwner(state, file)).toEqual(owner);
    expect(existsSync(named())).toBe(true);
  });

  it('is created again after a crash between writing the file and the database', async () => {
    const lost = await ensureOwner(state, newDatabase('other'));
    renameSync(named(), temporary());
    const owner = await ensureOwner(state, newDatabase('identity'));
    expect(owner?.organization_id).not.toBe(lost?.organization_id);
    expect(JSON.parse(readFileSync(named(), 'utf8'))).toEqual(owner);
  });

  it('is never replaced when its file was deleted', async () => {
    const file = newDatabase('identity');
    await ensureOwner(state, file);
    rmSync(named());
    expect(await ensureOwner(state, file)).toBeUndefined();
    expect(existsSync(named())).toBe(false);
  });
});

describe('the secrets in a state folder', () => {
  it('are kept, and a new region gets its own', async () => {
    const before = await ensureSecrets(state, ['fr-par']);
    const after = await ensureSecrets(state, ['fr-par', 'pl-waw']);
    expect(after.worker).toMatchObject(before.worker);
    expect(after.operatorJwt).toBe(before.operatorJwt);
    expect(Object.keys(after.worker)).toContain('SYSTEM_SEED_PL_WAW');
    expect(after.systemAccounts['pl-waw']).not.toBe(after.systemAccounts['fr-par']);
  });
});

describe('the ports in a state folder', () => {
  const REGIONS = ['fr-par', 'nl-ams'];
  const holding = async (port: number) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return () => new Promise((resolve) => server.close(resolve));
  };
  /** Returns two consecutive ports that were free a moment ago. */
  async function twoFreePorts(): Promise<number> {
    for (;;) {
      const port = await freePort();
      const release = await holding(port + 1).catch(() => undefined);
      if (!release) continue;
      await release();
      return port;
    }
  }

  it('start with the default NATS ports if those are free, and are kept', async () => {
    const from = await twoFreePorts();
    const ports = await choosePorts(state, 0, REGIONS, from);
    expect(Object.values(ports.nats).map(({ client }) => client)).toEqual([from, from + 1]);
    expect(await choosePorts(state, 0, REGIONS, from)).toEqual(ports);
  });

  it('are replaced when a port is in use', async () => {
    const from = await twoFreePorts();
    const release = await holding(from);
    try {
      const { nats } = await choosePorts(state, 0, REGIONS, from);
      expect(nats['fr-par']?.client).not.toBe(from);
      expect(nats['nl-ams']?.client).toBe(from + 1);
    } finally {
      await release();
    }
  });

  it('are any free ports unless the NATS ports are requested', async () => {
    const { nats } = await choosePorts(state, 0, REGIONS);
    for (const { client } of Object.values(nats)) expect(client).toBeGreaterThanOrEqual(11_000);
  });

  it('are named in the error when the requested one is in use, with a valid alternative', async () => {
    expect(new PortTaken(65_535).message).toContain('PORT=65534 npm start');
    const port = await freePort();
    const release = await holding(port);
    await expect(choosePorts(state, port, REGIONS)).rejects.toThrow(`Port ${port} is already in use`);
    await release();
  });
});

describe('PORT', () => {
  it.each([
    [undefined, 8787],
    ['', 8787],
    ['0', 0],
    ['80', 80],
    ['65535', 65_535],
  ])('"%s" means port %i', (text, port) => expect(portOf(text)).toBe(port));

  it.each(['abc', '65536', '-1', '80.5', '0x1', '1e3', ' 80', '080000'])('rejects %s', (text) => {
    expect(() => portOf(text)).toThrow(`PORT is ${text}, which is not a port.`);
  });
});

describe('a state folder', () => {
  it('is created with access for its owner only, and reused', () => {
    const folder = join(state, 'new/state');
    claimStateFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder, 'owner.json'), '{}');
    claimStateFolder(folder);
  });

  it('from an earlier version, without a marker, is reused', () => {
    for (const name of ['ports.json', 'secrets.json']) writeFileSync(join(state, name), '{}');
    claimStateFolder(state);
  });

  it('is rejected and left unchanged when it contains other files', () => {
    mkdirSync(join(state, 'generated'));
    writeFileSync(join(state, 'generated/mine'), 'mine');
    chmodSync(state, 0o755);
    expect(() => claimStateFolder(state)).toThrow(`${state} contains files that do not belong to Latchkey.`);
    expect(() => emptyFolder(state, 'tmp')).toThrow('was not claimed');
    expect(readdirSync(state)).toEqual(['generated']);
    expect(statSync(state).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(state, 'generated/mine'), 'utf8')).toBe('mine');
  });

  it('keeps the mode of an existing empty folder', () => {
    chmodSync(state, 0o755);
    claimStateFolder(state);
    expect(statSync(state).mode & 0o777).toBe(0o755);
  });

  // Not even root can write there.
  it.runIf(existsSync('/sys/kernel'))('that cannot be written is rejected with the reason', () => {
    expect(() => claimStateFolder('/sys/kernel/latchkey')).toThrow(
      '/sys/kernel/latchkey cannot be used as the state folder (permission denied). Set LATCHKEY_STATE to another folder.',
    );
  });

  it('deletes only the folders that it generates', () => {
    claimStateFolder(state);
    mkdirSync(join(state, 'tmp'));
    const folder = emptyFolder(state, 'tmp');
    writeFileSync(join(folder, 'left'), '');
    expect(emptyFolder(state, 'tmp')).toBe(folder);
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(join(state, 'tmp'))).toBe(true);
  });
});

describe('the cron schedule', () => {
  it.each([
    ['* * * * *', '2026-01-01T10:07:00Z', true],
    ['*/5 * * * *', '2026-01-01T10:05:59Z', true],
    ['*/5 * * * *', '2026-01-01T10:07:00Z', false],
    ['30 4 * * *', '2026-01-01T04:30:00Z', true],
    ['30 4 * * *', '2026-01-01T05:30:00Z', false],
    ['0,30 * 1 * *', '2026-01-01T05:30:00Z', true],
    ['0 0 * * 0', '2026-01-04T00:00:00Z', true],
  ])('evaluates %s at %s', (cron, time, due) => expect(isDue(cron, new Date(time))).toBe(due));

  it('rejects unsupported expressions', () => {
    expect(() => isDue('0-5 * * * *', new Date())).toThrow('does not support');
    expect(() => isDue('* * *', new Date())).toThrow('Not a cron expression');
  });
});
