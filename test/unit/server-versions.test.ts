/** Which nats-server versions are supported, and the known faults of the others. */
import { describe, expect, it } from 'vitest';
import { faults, faultsOf, isSupported, leastSupported, parse } from '../../functions/nats/versions.ts';

const ids = (version: string) => faultsOf(version).map(({ id }) => id);

describe('parse', () => {
  it('parses the versions that servers and their command line print', () => {
    expect(parse('2.11.16')).toEqual({ numbers: [2, 11, 16], preRelease: false });
    expect(parse('v2.11.16')).toEqual({ numbers: [2, 11, 16], preRelease: false });
    expect(parse('2.15.0-RC.1')).toEqual({ numbers: [2, 15, 0], preRelease: true });
    expect(parse('2.15.0+debian1')).toEqual({ numbers: [2, 15, 0], preRelease: false });
  });

  it('rejects all other text', () => {
    for (const text of ['', '2', '2.11', '2.11.x', 'dev', ' 2.11.16', '2.11.16 ', '2.11.16.1', '-2.11.16'])
      expect(parse(text), text).toBeUndefined();
  });
});

describe('isSupported', () => {
  it('starts at 2.11.16 on the 2.11 line, at 2.12.7 on the 2.12 line, and includes newer lines', () => {
    for (const version of ['2.11.16', '2.11.17', '2.12.7', '2.12.15', '2.14.0', '2.15.3', '3.0.0'])
      expect(isSupported(version), version).toBe(true);
    for (const version of ['1.4.1', '2.9.10', '2.10.29', '2.11.0', '2.11.15', '2.12.0', '2.12.6'])
      expect(isSupported(version), version).toBe(false);
  });

  it('treats a pre-release as older than its release', () => {
    expect(isSupported('2.11.16-RC.1')).toBe(false);
    expect(isSupported('2.15.0-RC.1')).toBe(true);
  });

  it('rejects an unreadable version', () => {
    expect(isSupported('dev')).toBe(false);
    expect(isSupported('')).toBe(false);
  });
});

describe('faultsOf', () => {
  it('returns CVE-2025-30215 for the affected versions', () => {
    const has = (version: string) => ids(version).includes('cross-account-purge');
    expect(['2.9.10', '2.10.26', '2.11.0'].filter(has)).toEqual(['2.9.10', '2.10.26', '2.11.0']);
    expect(['2.10.27', '2.11.1', '2.12.0', '2.15.3'].filter(has)).toEqual([]);
  });

  it('returns every fault of Debian 12’s server, and none for 2.15.3', () => {
    expect(faultsOf('2.9.10')).toEqual(faults);
    expect(faultsOf('2.15.3')).toEqual([]);
  });

  it('returns no cross-tenant fault and no dropped bystanders for a supported server', () => {
    for (const version of leastSupported)
      expect(ids(version), version).toEqual(['reply-subject-bypass', 'identity-point-login']);
  });

  it('returns no faults for an unreadable version', () => {
    expect(faultsOf('dev')).toEqual([]);
  });
});
