/** Opens the dialog that updates credentials, of credential-dialogs.astro. */
import { PERMISSIONS } from '../../../../functions/shared/permissions.ts';
import { type AccessKeyCredentials, accessKeyEndpoints } from '../../api/api.ts';
import { type ApiResponse, fetchResult } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import type { Values } from '../../ui/forms/form.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { changedMembers, optionalValues, prepareExpiry } from '../dialogs/optional-fields.ts';
import type { Change, Subject } from '../dialogs/subject.ts';
import { changed } from '../revocation-receipt.ts';

/** Returns the permissions that are checked. */
export const permissionsOf = (values: Values) =>
  Object.fromEntries(
    PERMISSIONS.map(({ apiName }) => [apiName, Boolean(values[apiName])]),
  ) as AccessKeyCredentials['permissions'];

/** Asks for new values, and sends only those that changed. Returns the outcome, or undefined if the person cancels. */
export async function update(
  root: ParentNode,
  { product, credentials }: Exclude<Subject, { product: 'nats' }>,
): Promise<Change | undefined> {
  const { id, name: before, region, permissions } = credentials;
  const dialog = dialogIn(root, 'update');
  if (dialog.isOpen) return undefined;
  prepareExpiry(dialog, credentials.expires_at);
  let headers = new Headers();
  const updated = await dialog.submit(
    async (values) => {
      const wanted = permissionsOf(values);
      const differing = PERMISSIONS.filter(({ apiName }) => wanted[apiName] !== permissions[apiName]);
      const json = {
        ...(values.name !== before && { name: values.name }),
        permissions: Object.fromEntries(differing.map(({ apiName }) => [apiName, wanted[apiName]])),
        ...changedMembers(values, credentials),
      };
      const request = { param: { region, credentials_id: id }, json };
      const result = await fetchResult(() =>
        (accessKeyEndpoints[product].credentials[':credentials_id'].$patch as Patch)(request),
      );
      if (result.ok) headers = result.headers;
      return result;
    },
    { region: regionLabel(region) },
    {
      name: before,
      ...Object.fromEntries(PERMISSIONS.map(({ apiName }) => [apiName, permissions[apiName] ? 'true' : ''])),
      ...optionalValues(credentials),
    },
  );
  if (!updated) return undefined;
  const effect = { enforced: '', pending: (within: string) => `The changes apply ${within}.` };
  return { notice: changed(`Updated ${updated.name}.`, effect, headers), progress: { updated: id } };
}

type Patch = (request: object) => Promise<ApiResponse<AccessKeyCredentials>>;
