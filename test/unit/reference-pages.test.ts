/** The reference pages are complete: every error, every operation, every limit. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faults } from '../../functions/gateway/errors.ts';
import { grants, permissionSets } from '../../functions/iam/access/permission-sets.ts';
import { app } from '../../functions/index.ts';
import { describeApi } from '../../functions/openapi.ts';
import { errors } from '../../functions/shared/errors.ts';
import { apiSections } from '../../site/src/build/api.ts';
import { errorRows, faultRows } from '../../site/src/build/errors.ts';
import { LIMITS } from '../../site/src/build/limits.ts';
import { permissionSetRows } from '../../site/src/build/permission-sets.ts';
import { readRateLimits } from '../../site/src/build/rate-limits.ts';
import { defaultConfig } from '../stack/project.ts';

const everything = new Proxy({} as Record<string, string>, { get: () => 'text' });

describe('the errors page', () => {
  it('lists every error with its status', () => {
    const rows = errorRows(everything);
    expect(rows.map(({ code, status }) => [code, status])).toEqual(
      Object.entries(errors).map(([code, { status }]) => [code, status]),
    );
    expect(rows.find(({ code }) => code === 'not_found')?.fields).toEqual(['resource', 'resource_id']);
    const faultNames = faultRows(everything).map(({ fault }) => fault);
    expect(faultNames).toEqual(Object.keys(faults));
  });

  it('fails to build if an error has no explanation', () => {
    expect(() => errorRows({} as Record<keyof typeof errors, string>)).toThrow('does not describe');
  });
});

describe('the API reference', () => {
  const sections = apiSections(['fr-par']);
  const operations = sections.flatMap(({ operations }) => operations);

  it('lists every operation of the OpenAPI document with a unique anchor', () => {
    const { paths = {} } = describeApi(app, ['fr-par']);
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.length).toBeGreaterThan(20);
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(described.sort());
    for (const { operations } of sections)
      expect(new Set(operations.map(({ slug }) => slug)).size).toBe(operations.length);
  });

  it('describes each operation’s parameters, response and errors', () => {
    const create = operations.find(({ summary }) => summary === 'Create Queues credentials');
    expect(create?.input).toContainEqual({
      name: 'name',
      type: 'string, 1 to 500 characters',
      place: 'body',
      required: false,
    });
    expect(create?.input).toContainEqual({
      name: 'permissions.can_publish',
      type: 'boolean, or null',
      place: 'body',
      required: false,
    });
    expect(create?.output.map(({ name }) => name)).toContain('secret_key');
    const list = operations.find(({ summary }) => summary === 'List Queues credentials');
    expect(list?.output.map(({ name }) => name)).toContain('sqs_credentials[].permissions.can_manage');
    for (const { errors: listed, summary } of operations) {
      expect(listed.length, summary).toBeGreaterThan(0);
      for (const code of listed.flatMap(({ codes }) => codes)) expect(Object.keys(errors)).toContain(code);
    }
  });
});

it('the page about permission sets lists every set with all its permissions', () => {
  const rows = permissionSetRows();
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(permissionSets));
  const granted = rows.flatMap(({ name, grants }) =>
    grants.flatMap(({ resource, actions }) => actions.map((action) => `${name} ${resource} ${action}`)),
  );
  const resources = ['nats', 'sqs', 'sns', 'project', 'iam', 'audit_trail'] as const;
  const enforced = rows.flatMap(({ name }) =>
    resources.flatMap((resource) =>
      (['read', 'write'] as const).flatMap((action) =>
        grants(name, { resource, action }) ? `${name} ${resource} ${action}` : [],
      ),
    ),
  );
  expect(granted.toSorted()).toEqual(enforced.toSorted());
  expect(granted.length).toBeGreaterThan(rows.length);
});

it('the page about limits lists every configured rate limit', () => {
  const names = readFileSync(defaultConfig, 'utf8').match(/(?<=^name = ")[A-Z_]+_LIMIT/gm);
  expect(readRateLimits(defaultConfig).map(({ name }) => name)).toEqual(names);
});

it('the page about limits has a number for each limit', () => {
  for (const [what, limit] of Object.values(LIMITS).flat()) expect(limit, what).toMatch(/^\d/);
});
