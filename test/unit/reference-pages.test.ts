/** What the reference pages are made of is what the Worker has: every error, every operation, every limit. */
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

describe('the page about errors', () => {
  it('has every error with its status', () => {
    const rows = errorRows(everything);
    expect(rows.map(({ code, status }) => [code, status])).toEqual(
      Object.entries(errors).map(([code, { status }]) => [code, status]),
    );
    expect(rows.find(({ code }) => code === 'not_found')?.fields).toEqual(['resource', 'resource_id']);
    const faultNames = faultRows(everything).map(({ fault }) => fault);
    expect(faultNames).toEqual(Object.keys(faults));
  });

  it('is not built while it leaves one unexplained', () => {
    expect(() => errorRows({} as Record<keyof typeof errors, string>)).toThrow('does not explain');
  });
});

describe('the API reference', () => {
  const sections = apiSections(['fr-par']);
  const operations = sections.flatMap(({ operations }) => operations);

  it('has every operation of the OpenAPI document, each under an anchor of its own', () => {
    const { paths = {} } = describeApi(app, ['fr-par']);
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.length).toBeGreaterThan(20);
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(described.sort());
    for (const { operations } of sections)
      expect(new Set(operations.map(({ slug }) => slug)).size).toBe(operations.length);
  });

  it('says what each operation takes, answers and refuses with', () => {
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
    for (const { errors: told, summary } of operations) {
      expect(told.length, summary).toBeGreaterThan(0);
      for (const code of told.flatMap(({ codes }) => codes)) expect(Object.keys(errors)).toContain(code);
    }
  });
});

it('the page about permission sets has every set with all that it grants', () => {
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

it('the page about limits has every rate limit of the configuration', () => {
  const names = readFileSync(defaultConfig, 'utf8').match(/(?<=^name = ")[A-Z_]+_LIMIT/gm);
  expect(readRateLimits(defaultConfig).map(({ name }) => name)).toEqual(names);
});

it('the page about limits has a number for each', () => {
  for (const [what, limit] of Object.values(LIMITS).flat()) expect(limit, what).toMatch(/^\d/);
});
