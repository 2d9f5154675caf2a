/** Policy rules after their project is deleted: no rule references it. */
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import worker from '../../functions/index.ts';
import { env } from './env.ts';
import { call, identityRows, newOwner, newProject } from './harness.ts';
import { iamOf } from './identity.ts';
import { grant, newUser } from './matrix-callers.ts';

const deleteProject = (owner: Owner, id: string) =>
  call('DELETE', `/account/v3/projects/${id}`, { token: owner.secret_key });

describe('a policy rule of a deleted project', () => {
  it('loses the project, or is deleted if it has no other, and other rules stay unchanged', async () => {
    const owner = await newOwner();
    const { project_id, organization_id } = owner;
    const iam = iamOf(owner.secret_key);
    const id = await newProject(owner);
    const set = { permission_set_names: ['QueuesReadOnly'] };
    const kept = [
      { ...set, project_ids: [project_id] },
      { ...set, organization_id },
    ];
    const created = async (rules: object[]) =>
      String((await iam.post('/policies', { name: 'all', no_principal: true, rules })).body.id);
    const policy = await created([
      { ...set, project_ids: [id] },
      { ...set, project_ids: [id, project_id] },
      ...kept,
    ]);
    const untouched = await created(kept);
    const alone = await created([{ ...set, project_ids: [id] }]);
    const rulesOf = async (policy_id: string) => (await iam.get(`/rules?policy_id=${policy_id}`)).body.rules;
    const policyRow = (policy_id: string) => identityRows('select * from policies where id = ?', policy_id);
    const before = await policyRow(untouched);

    const { headers } = await deleteProject(owner, id);
    const places = [[project_id], [project_id], null];
    const rules = await rulesOf(policy);
    expect(rules.map((rule: { project_ids: unknown }) => rule.project_ids)).toEqual(places);
    expect((await iam.put('/rules', { policy_id: policy, rules })).status).toBe(200);
    expect([await rulesOf(alone), await policyRow(untouched)]).toEqual([[], before]);
    const trail = await identityRows(
      `select resource_id as id, json_extract(before, '$.rules[0].project_ids[0]') as first,
         json_extract(after, '$.rules') as left from audit_events where request_id = ? and resource = 'policies' order by id`,
      headers.get('X-Request-Id'),
    );
    const named = places.map((project_ids) => ({ ...set, project_ids }));
    expect(trail.map((row) => ({ ...row, left: JSON.parse(String(row.left)) }))).toEqual(
      expect.arrayContaining([
        { id: policy, first: id, left: named },
        { id: alone, first: id, left: [] },
      ]),
    );
    expect(trail).toHaveLength(2);
  });

  it('created concurrently with the deletion keeps the project until the schedule removes it (race)', async () => {
    const owner = await newOwner();
    const id = await newProject(owner);
    await deleteProject(owner, id);
    await grant(owner, { user_id: await newUser(owner.organization_id) }, 'QueuesReadOnly', id);
    const late = () => identityRows(`select * from rules where project_ids like '%' || ? || '%'`, id);
    expect(await late()).toHaveLength(1);
    await identityRows('update projects set updated_at = 0 where id = ?', id);
    await worker.scheduled({} as never, env, {} as never);
    expect([await identityRows('select * from projects where id = ?', id), await late()]).toEqual([[], []]);
  });
});
