/** The actions of `<iam-api-keys>`. Loaded on first use. */

import { type ApiKey, type IssuedApiKey, iam, idempotent } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { sameBody } from '../../api/same-body.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { SecretDialog } from '../../ui/dialogs/secret-dialog.ts';
import { find } from '../../ui/dom.ts';
import type { Values } from '../../ui/forms/form.ts';
import { type Notice, success } from '../../ui/panels/notice.ts';
import { listProjects } from '../../workspace/list-projects.ts';
import { currentSelection } from '../../workspace/selection.ts';
import type { Context } from '../list/organization-list.ts';
import { fillPrincipalOptions } from './principal-options.ts';
import type { Principal } from './principals.ts';

const DAY_MS = 24 * 3600 * 1000;

const bodyFor = sameBody<ReturnType<typeof bodyOf>>();

/** Asks for a principal and an expiry, and creates a key. Returns undefined if the person cancels. */
export async function create(
  root: ParentNode,
  { principal, organization }: Context,
  principals: readonly Principal[],
): Promise<IssuedApiKey | undefined> {
  const listed = await listProjects(organization.id);
  const open = listed.ok ? listed.body : [];
  const select = (name: string) => find(root, `select[name="${name}"]`, HTMLSelectElement);
  fillPrincipalOptions(select('bearer'), principals, { kind: 'member', id: principal.id });
  select('project').replaceChildren(...open.map(({ id, name }) => new Option(name, id)));
  if (open.some(({ id }) => id === currentSelection().project))
    select('project').value = currentSelection().project ?? '';
  return dialogIn(root, 'create').submit(
    (values, key) => {
      const json = bodyFor(key, () => bodyOf(values));
      const request = { header: idempotent(key, organization.id), json };
      return fetchResult(() => iam['api-keys'].$post(request));
    },
    {},
    { days: '90' },
  );
}

function bodyOf({ description = '', bearer = '', project = '', days = '' }: Values) {
  const [kind, id] = bearer.split(':');
  return {
    description,
    ...(kind === 'member' ? { user_id: id } : { application_id: id }),
    ...(project && { default_project_id: project }),
    ...(days && { expires_at: new Date(Date.now() + Number(days) * DAY_MS).toISOString() }),
  };
}

/** Shows the secret of a new key. Resolves when the person closes the dialog. */
export function showSecret(root: ParentNode, issued: IssuedApiKey): Promise<void> {
  const { access_key: access, secret_key: secret } = issued;
  const env = `LATCHKEY_ACCESS_KEY=${access}\nLATCHKEY_SECRET_KEY=${secret}\n`;
  return find(root, 'secret-dialog', SecretDialog).show({
    fields: [
      { label: 'Access key', value: access },
      { label: 'Secret key', value: secret, secret: true },
    ],
    files: [{ name: 'latchkey.env', content: env }],
    all: env,
    commands: [{ label: 'With curl', text: COMMAND(location.origin) }],
  });
}

const COMMAND = (origin: string) => `set -a && . ./latchkey.env && set +a
curl --fail-with-body -H "X-Auth-Token: $LATCHKEY_SECRET_KEY" ${origin}/iam/v1alpha1/principal`;

/** Asks for confirmation and deletes a key. Returns the notice to show, or undefined if the person cancels. */
export function remove(root: ParentNode, key: ApiKey, bearer: string): Promise<Notice | undefined> {
  const name = key.access_key;
  const send = () =>
    fetchResult<unknown>(() => iam['api-keys'][':access_key'].$delete({ param: { access_key: name } }));
  return dialogIn(root, 'delete').confirm(send, { name, bearer }, () => success(`Deleted ${name}.`));
}
