/** The actions of `<access-key-credentials>`: each opens its dialog and sends its request. Loaded on first use. */
import { PERMISSIONS } from '../../../../functions/shared/permissions.ts';
import { type AccessKeyCredentials, accessKeyEndpoints, idempotent } from '../../api/api.ts';
import { type ApiResponse, fetchResult } from '../../api/request.ts';
import type { GuideProgress } from '../../guide/progress.ts';
import { permissionValues } from '../../samples/permissions.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { find } from '../../ui/dom.ts';
import type { Values } from '../../ui/forms/form.ts';
import { type Notice, pending, success } from '../../ui/panels/notice.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import type { ActionHost } from '../action-host.ts';
import { showLastUsed } from '../last-used.ts';
import { changed, delay } from '../revocation-receipt.ts';
import { confirmRevocation } from '../revoke-dialog.ts';
import { showNew } from '../show-new.ts';
import type { AccessKeyCredentialsElement } from './access-key-credentials.ts';
import { ACCESS_KEY_PRODUCTS, type AccessKeyProductId } from './products.ts';
import { accessKeySecret } from './secret-files.ts';

/** An element with the dialogs of credential-dialogs.astro. */
export interface AccessKeyActionHost extends ActionHost {
  readonly product: AccessKeyProductId;
}

type Permissions = AccessKeyCredentials['permissions'];

const permissionsOf = (values: Values) =>
  Object.fromEntries(PERMISSIONS.map(({ apiName }) => [apiName, Boolean(values[apiName])])) as Permissions;

/** Activates the product. `announce` shows the outcome. */
export async function activate(
  element: AccessKeyCredentialsElement,
  announce = (notice: Notice) => element.credentials.announce(notice),
): Promise<void> {
  const { product, selection } = element;
  if (!selection) return;
  const { region, project } = selection;
  element.credentials.show('loading');
  const request = { param: { region }, json: { project_id: project } };
  const result = await fetchResult<unknown>(() => accessKeyEndpoints[product].activate.$post(request));
  // Refused: the product is already active.
  if (!result.ok && result.problem.kind !== 'refused') return element.fail(result.problem);
  await element.load();
  const { label } = ACCESS_KEY_PRODUCTS[product];
  const done = `${label} is active in ${regionLabel(region)}.`;
  const effect = {
    enforced: NEXT,
    pending: (within: string) => `Existing credentials of the project can use it ${within}. ${NEXT}`,
  };
  announce(result.ok ? changed(done, effect, result.headers) : success(`${done} ${NEXT}`));
}

const NEXT = 'Next, generate credentials.';

/** Asks for confirmation and deactivates the product. */
export async function deactivate(element: AccessKeyCredentialsElement): Promise<void> {
  const { product, selection } = element;
  if (!selection) return;
  const { label, resources } = ACCESS_KEY_PRODUCTS[product];
  const region = regionLabel(selection.region);
  const request = { param: { region: selection.region }, json: { project_id: selection.project } };
  const notice = await dialogIn(element, 'deactivate').confirm(
    () => fetchResult<unknown>(() => accessKeyEndpoints[product].deactivate.$post(request)),
    { project: projectName(element), region },
    // The response does not say whether the engine has deleted its resources.
    (headers) => {
      const within = delay(headers);
      const delayed = within ? ` Their requests are denied ${within}.` : '';
      return pending(
        `${label} is no longer active in ${region}, and its credentials are revoked.${delayed} Deleting its ${resources} can take a few more minutes.`,
      );
    },
    `${label} was already deactivated in ${region}.`,
  );
  if (!notice) return;
  await element.load();
  element.credentials.announce(notice);
}

/** Asks for a name and permissions, creates credentials and shows their secret. */
export async function generate(element: AccessKeyCredentialsElement): Promise<void> {
  const { product, selection } = element;
  if (!selection) return;
  const { region, project } = selection;
  const dialog = dialogIn(element, 'generate');
  const listener = () => {
    const data = new FormData(dialog.form);
    const values = Object.fromEntries(
      PERMISSIONS.map(({ apiName }) => [apiName, data.get(apiName) ? 'true' : '']),
    );
    const name = `${data.get('name') ?? ''}`.trim();
    element.updateSamples({ name, ...permissionValues(permissionsOf(values)) });
  };
  dialog.addEventListener('input', listener);
  const issued = await dialog.submit<AccessKeyCredentials>(
    (values, key) => {
      const json = { project_id: project, name: values.name ?? '', permissions: permissionsOf(values) };
      const request = { param: { region }, header: idempotent(key, project), json };
      return fetchResult(() => accessKeyEndpoints[product].credentials.$post(request));
    },
    { project: projectName(element), region: regionLabel(region) },
  );
  dialog.removeEventListener('input', listener);
  if (!issued) return;
  await showNew(element, issued, accessKeySecret(issued, ACCESS_KEY_PRODUCTS[product], element.endpoint));
}

function projectName(element: AccessKeyCredentialsElement): string {
  return find(element, 'select[name="project"]', HTMLSelectElement).selectedOptions[0]?.text ?? '';
}

/** Asks for a new name and permissions, and sends only those that changed. */
export async function update(element: AccessKeyActionHost, credentials: AccessKeyCredentials): Promise<void> {
  const { id, name: before, region, permissions } = credentials;
  let headers = new Headers();
  const updated = await dialogIn(element, 'update').submit(
    async (values) => {
      const wanted = permissionsOf(values);
      const changed = PERMISSIONS.filter(({ apiName }) => wanted[apiName] !== permissions[apiName]);
      const json = {
        ...(values.name !== before && { name: values.name }),
        permissions: Object.fromEntries(changed.map(({ apiName }) => [apiName, wanted[apiName]])),
      };
      const request = { param: { region, credentials_id: id }, json };
      const result = await fetchResult(() =>
        (accessKeyEndpoints[element.product].credentials[':credentials_id'].$patch as Patch)(request),
      );
      if (result.ok) headers = result.headers;
      return result;
    },
    { region: regionLabel(region) },
    {
      name: before,
      ...Object.fromEntries(PERMISSIONS.map(({ apiName }) => [apiName, permissions[apiName] ? 'true' : ''])),
    },
  );
  if (!updated) return;
  const effect = { enforced: '', pending: (within: string) => `The changes apply ${within}.` };
  await finish(element, changed(`Updated ${updated.name}.`, effect, headers), { updated: id });
}

type Patch = (request: object) => Promise<ApiResponse<AccessKeyCredentials>>;

const REVOKED = {
  enforced: 'Its next request is denied.',
  pending: (within: string) => `Its requests are denied ${within}.`,
};

/** Asks for confirmation and revokes credentials. */
export async function revoke(
  element: AccessKeyActionHost,
  { id, name, region, last_used_at: used }: AccessKeyCredentials,
): Promise<void> {
  const endpoint = accessKeyEndpoints[element.product].credentials[':credentials_id'];
  const notice = await confirmRevocation(
    element,
    () => fetchResult<unknown>(() => endpoint.$delete({ param: { region, credentials_id: id } })),
    { name, region: regionLabel(region) },
    (headers) => changed(`Revoked ${name}.`, REVOKED, headers),
    (dialog) => showLastUsed(dialog, used),
  );
  if (notice) await finish(element, notice, { revoked: { id, pending: false } });
}

/** Announces the outcome once the list shows it. */
async function finish(element: ActionHost, notice: Notice, progress: Partial<GuideProgress>): Promise<void> {
  element.updateProgress(progress);
  await element.loadCredentials();
  element.credentials.announce(notice);
}
