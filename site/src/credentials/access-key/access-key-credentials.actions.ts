/**
 * What the forms of Queues and of Topics and Events change: activate the product or deactivate it, generate credentials,
 * update or revoke them. Each opens its dialog under `root` and sends the request. Loaded when the reader first presses one of
 * the buttons: a page that is only read does without it.
 */
import { PERMISSIONS } from '../../../../functions/shared/permissions.ts';
import { type AccessKeyCredentials, accessKeyEndpoints, idempotent } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { type ApiResponse, fetchResult } from '../../api/request.ts';
import { permissionValues } from '../../samples/permissions.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { SecretDialog } from '../../ui/dialogs/secret-dialog.ts';
import { find } from '../../ui/dom.ts';
import type { Values } from '../../ui/forms/form.ts';
import { info, type Notice, pending, success } from '../../ui/panels/notice.ts';
import type { ProjectRegion } from '../../workspace/project-region-fields.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { showLastUsed } from '../last-used.ts';
import { ACCESS_KEY_PRODUCTS, type AccessKeyProductId } from './products.ts';
import { accessKeySecret } from './secret-files.ts';

type Permissions = AccessKeyCredentials['permissions'];

/** A place with what people call its project. */
type NamedProjectRegion = ProjectRegion & { projectName: string };

const permissionsOf = (values: Values) =>
  Object.fromEntries(PERMISSIONS.map(({ apiName }) => [apiName, Boolean(values[apiName])])) as Permissions;

/**
 * Activates a product for a project in a region. One that is active already is no problem. `notice` is what to say of it
 * where there is none.
 */
export async function activate(
  product: AccessKeyProductId,
  selection: ProjectRegion,
): Promise<{ problem: Problem | undefined; notice: Notice }> {
  const request = { param: { region: selection.region }, json: { project_id: selection.project } };
  const result = await fetchResult<unknown>(() => accessKeyEndpoints[product].activate.$post(request));
  // Someone else was faster, or this was sent twice: the list says the rest.
  const problem = result.ok || result.problem.kind === 'refused' ? undefined : result.problem;
  const where = `${ACCESS_KEY_PRODUCTS[product].label} is active in ${regionLabel(selection.region)}`;
  return { problem, notice: success(`${where}. Next, generate credentials.`) };
}

/**
 * Asks for confirmation and deactivates a product with all that it holds. Resolves to what to say of it, or to undefined
 * when the person cancels.
 */
export async function deactivate(
  root: ParentNode,
  product: AccessKeyProductId,
  selection: NamedProjectRegion,
): Promise<Notice | undefined> {
  const { label, resources } = ACCESS_KEY_PRODUCTS[product];
  const at = regionLabel(selection.region);
  let notice: Notice | undefined;
  await dialogIn(root, 'deactivate').open(
    async () => {
      const request = { param: { region: selection.region }, json: { project_id: selection.project } };
      const result = await fetchResult<unknown>(() => accessKeyEndpoints[product].deactivate.$post(request));
      if (!result.ok && result.problem.kind !== 'gone') return result.problem;
      // The API does not tell whether the engine is done with it: nothing is claimed of that.
      notice = result.ok
        ? pending(
            `${label} is no longer active in ${at}, and its credentials are revoked. Deleting its ${resources} can take a few more minutes.`,
          )
        : info(`${label} was already deactivated in ${at}.`);
      return undefined;
    },
    { project: selection.projectName, region: at },
  );
  return notice;
}

/**
 * Asks for a name and permissions and generates credentials. Resolves to undefined when the person cancels. `chosen`
 * hears of the sample's values while they are typed. The secret has not been shown yet: {@link showSecret} does.
 */
export async function generate(
  root: ParentNode,
  product: AccessKeyProductId,
  selection: NamedProjectRegion,
  chosen: (values: Record<string, string>) => void,
): Promise<AccessKeyCredentials | undefined> {
  const form = dialogIn(root, 'generate');
  let issued: AccessKeyCredentials | undefined;
  const listener = () => {
    const data = new FormData(form.form);
    const values = Object.fromEntries(
      PERMISSIONS.map(({ apiName }) => [apiName, data.get(apiName) ? 'true' : '']),
    );
    chosen({ name: `${data.get('name') ?? ''}`.trim(), ...permissionValues(permissionsOf(values)) });
  };
  form.addEventListener('input', listener);
  await form.open(
    async (values, key) => {
      const json = {
        project_id: selection.project,
        name: values.name ?? '',
        permissions: permissionsOf(values),
      };
      const request = {
        param: { region: selection.region },
        header: idempotent(key, selection.project),
        json,
      };
      const result = await fetchResult<AccessKeyCredentials>(() =>
        accessKeyEndpoints[product].credentials.$post(request),
      );
      if (!result.ok) return result.problem;
      issued = result.body;
      return undefined;
    },
    { project: selection.projectName, region: regionLabel(selection.region) },
  );
  form.removeEventListener('input', listener);
  return issued;
}

/** Shows credentials just generated; resolves when the person has said that they are saved. */
export function showSecret(
  root: ParentNode,
  product: AccessKeyProductId,
  issued: AccessKeyCredentials,
  endpoint: string,
): Promise<void> {
  return find(root, 'secret-dialog', SecretDialog).show(
    accessKeySecret(issued, ACCESS_KEY_PRODUCTS[product], endpoint),
  );
}

/** Asks what to change and sends only that. Resolves to what to say of it, or to undefined when the person cancels. */
export async function update(
  root: ParentNode,
  product: AccessKeyProductId,
  credentials: AccessKeyCredentials,
): Promise<Notice | undefined> {
  const { id, name: before, region, permissions } = credentials;
  let notice: Notice | undefined;
  await dialogIn(root, 'update').open(
    async (values) => {
      const wanted = permissionsOf(values);
      const changed = PERMISSIONS.filter(({ apiName }) => wanted[apiName] !== permissions[apiName]);
      const json = {
        ...(values.name !== before && { name: values.name }),
        permissions: Object.fromEntries(changed.map(({ apiName }) => [apiName, wanted[apiName]])),
      };
      const request = { param: { region, credentials_id: id }, json };
      const result = await fetchResult<AccessKeyCredentials>(() =>
        (accessKeyEndpoints[product].credentials[':credentials_id'].$patch as Patch)(request),
      );
      if (!result.ok) return result.problem;
      notice = success(`Updated ${result.body.name}.`);
      return undefined;
    },
    { region: regionLabel(region) },
    {
      name: before,
      ...Object.fromEntries(PERMISSIONS.map(({ apiName }) => [apiName, permissions[apiName] ? 'true' : ''])),
    },
  );
  return notice;
}

type Patch = (request: object) => Promise<ApiResponse<AccessKeyCredentials>>;

/** Asks for confirmation and revokes credentials. Resolves to what to say of it, or to undefined when the person cancels. */
export async function revoke(
  root: ParentNode,
  product: AccessKeyProductId,
  { id, name, region, last_used_at: used }: AccessKeyCredentials,
): Promise<Notice | undefined> {
  const form = dialogIn(root, 'revoke');
  if (form.isOpen) return undefined;
  showLastUsed(form, used);
  let notice: Notice | undefined;
  await form.open(
    async () => {
      const request = { param: { region, credentials_id: id } };
      const result = await fetchResult<unknown>(() =>
        accessKeyEndpoints[product].credentials[':credentials_id'].$delete(request),
      );
      if (!result.ok && result.problem.kind !== 'gone') return result.problem;
      notice = result.ok
        ? success(`Revoked ${name}. Its next request is denied.`)
        : info(`${name} was already revoked.`);
      return undefined;
    },
    { name, region: regionLabel(region) },
  );
  return notice;
}
