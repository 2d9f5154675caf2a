import { type Secret, SecretDialog } from '../ui/dialogs/secret-dialog.ts';
import { find } from '../ui/dom.ts';
import { info, success } from '../ui/panels/notice.ts';
import type { CredentialsElement } from './credentials-element.ts';
import type { Listed } from './credentials-panel.ts';

/** Shows the secret of new credentials, and lists them when the person closes the dialog. */
export async function showNew<Owner, Credentials extends Listed, Actions>(
  element: CredentialsElement<Owner, Credentials, Actions>,
  { id, name }: Listed,
  secret: Secret,
): Promise<void> {
  element.updateProgress({ issued: id });
  await find(element, 'secret-dialog', SecretDialog).show(secret);
  // Not earlier: they may have been used or revoked while the secret was visible.
  element.resetList();
  await element.loadCredentials();
  const { credentials } = element;
  const gone = credentials.shown && !credentials.listed.has(id);
  credentials.say(gone ? info(`${name} has been revoked.`) : success(`Generated ${name}.`));
  element.querySelector(`[data-id="${CSS.escape(id)}"]`)?.setAttribute('data-fresh', '');
}
