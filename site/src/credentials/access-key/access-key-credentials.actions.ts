/** The actions of `<access-key-credentials>`: each opens its dialog and sends its request. Loaded on first use. */
import { PERMISSIONS } from '../../../../functions/shared/permissions.ts';
import { type AccessKeyCredentials, accessKeyEndpoints, idempotent } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { sameBody } from '../../api/same-body.ts';
import { permissionValues } from '../../samples/permissions.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { find } from '../../ui/dom.ts';
import { type Notice, pending, success } from '../../ui/panels/notice.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import type { Action } from '../allowed-actions.ts';
import { change as changeCredentials } from '../dialogs/changes.ts';
import { optionalMembers, prepareExpiry } from '../dialogs/optional-fields.ts';
import { changed, delay } from '../revocation-receipt.ts';
import { showNew } from '../show-new.ts';
import type { AccessKeyCredentialsElement } from './access-key-credentials.ts';
import { ACCESS_KEY_PRODUCTS } from './products.ts';
import { accessKeySecret } from './secret-files.ts';
import { permissionsOf } from './update.ts';

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

const bodyFor = sameBody<{
  project_id: string;
  name: string;
  permissions: AccessKeyCredentials['permissions'];
}>();

/** Asks for a name, permissions and the other fields, creates credentials and shows their secret. */
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
  prepareExpiry(dialog);
  const issued = await dialog.submit<AccessKeyCredentials>(
    (values, key) => {
      const json = bodyFor(`${key} ${project}`, () => ({
        project_id: project,
        name: values.name ?? '',
        permissions: permissionsOf(values),
        ...optionalMembers(values),
      }));
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

/** Changes credentials, and announces the outcome once the list shows it. */
export async function change(
  element: AccessKeyCredentialsElement,
  credentials: AccessKeyCredentials,
  action: Action,
): Promise<void> {
  const { product, endpoint } = element;
  const made = await changeCredentials(element, { product, credentials, endpoint }, action);
  if (!made) return;
  element.updateProgress(made.progress);
  await element.loadCredentials();
  element.credentials.announce(made.notice);
}
