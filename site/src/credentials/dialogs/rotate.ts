/** Opens rotate-dialogs.astro. */
import { type AccessKeyCredentials, idempotent, type NatsCredentials } from '../../api/api.ts';
import { credentialEndpoints } from '../../api/on-demand.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { type Secret, SecretDialog } from '../../ui/dialogs/secret-dialog.ts';
import { find } from '../../ui/dom.ts';
import { type Notice, success } from '../../ui/panels/notice.ts';
import { ACCESS_KEY_PRODUCTS } from '../access-key/products.ts';
import { accessKeySecret } from '../access-key/secret-files.ts';
import { natsSecret } from '../nats/secret-files.ts';
import { type CreatedNatsCredentials, withUserKey } from '../nats/user-key.ts';
import { changed, outcome } from '../revocation-receipt.ts';
import { keyWord, OVERLAPS } from './overlaps.ts';
import { showRotation } from './rotation-facts.ts';
import { type Change, pathOf, type Subject, textsOf } from './subject.ts';

type Issued = AccessKeyCredentials | CreatedNatsCredentials;

/**
 * Asks for how long both keys work, gives credentials a new key and shows it once. If a rotation is in progress, offers to
 * finish or cancel it instead. Returns the outcome, or undefined if the person cancels.
 */
export async function rotate(root: ParentNode, subject: Subject): Promise<Change | undefined> {
  const { credentials, product } = subject;
  if (credentials.rotation) return endRotation(root, subject);
  let overlap = 0;
  const issued = await dialogIn(root, 'rotate').submit<Issued>(
    (values, key) => {
      overlap = Number(values.overlap_seconds);
      return sendRotation(subject, overlap, key);
    },
    textsOf(subject),
    { overlap_seconds: '86400' },
  );
  if (!issued) return undefined;
  const key = keyWord(product);
  const end = `The old ${key} ends ${OVERLAPS[overlap]} after the first use of the new one.`;
  const secret = secretOf(subject, issued);
  const both = `Both the old and the new ${key} work now. ${end} A test counts as a use.`;
  const note = [both, secret.note ?? ''].join(' ').trim();
  await find(root, 'secret-dialog', SecretDialog).show({ ...secret, note });
  return { notice: success(`Rotated ${credentials.name}. ${end}`), progress: {} };
}

/** Sends the request. The key pair of NATS credentials is a new one of this page. */
function sendRotation(subject: Subject, overlap: number, key: string): Promise<Result<Issued>> {
  const { id, name } = subject.credentials;
  const request = { param: pathOf(subject), header: idempotent(key, id) };
  const json = { overlap_seconds: overlap };
  if (subject.product !== 'nats') {
    const endpoint = credentialEndpoints[subject.product];
    return fetchResult<Issued>(() => endpoint.rotate.$post({ ...request, json }));
  }
  return withUserKey({ request: `${key} ${id}`, accountId: subject.account.id, name }, (userKey) =>
    fetchResult(() => credentialEndpoints.nats.rotate.$post({ ...request, json: { ...json, ...userKey } })),
  );
}

function secretOf(subject: Subject, issued: Issued): Secret {
  return subject.product === 'nats'
    ? natsSecret(issued as CreatedNatsCredentials, subject.account)
    : accessKeySecret(issued as AccessKeyCredentials, ACCESS_KEY_PRODUCTS[subject.product], subject.endpoint);
}

/** Shows both keys of a rotation, and ends one of them if the person confirms. */
async function endRotation(root: ParentNode, subject: Subject): Promise<Change | undefined> {
  const { credentials, product } = subject;
  const { name } = credentials;
  const dialog = dialogIn(root, 'rotation');
  if (dialog.isOpen) return undefined;
  showRotation(dialog, subject.product, credentials);
  const closed = new AbortController();
  void refresh(dialog, subject, closed.signal);
  let ended = keyWord(product);
  const notice = await dialog.confirm<unknown>(
    ({ end }) => {
      const { finish, cancel } = credentialEndpoints[product].rotate;
      const request = { param: pathOf(subject) };
      ended = `${end === 'new' ? 'new' : 'old'} ${keyWord(product)}`;
      return fetchResult<unknown>(() => (end === 'new' ? cancel : finish).$post(request));
    },
    textsOf(subject),
    (headers) => endOf(subject, ended, headers),
    `${name} was already revoked.`,
  );
  closed.abort();
  return notice && { notice, progress: {} };
}

function endOf({ product, credentials }: Subject, ended: string, headers: Headers): Notice {
  const done = `${ended.startsWith('new') ? 'Canceled' : 'Finished'} the rotation of ${credentials.name}.`;
  const effect = {
    enforced: `The next request with the ${ended} is denied.`,
    pending: (within: string) => `Requests with the ${ended} are denied ${within}.`,
  };
  return product === 'nats' ? outcome(done, headers) : changed(done, effect, headers);
}

/** Loads the credentials again, because a list can be older than the last use of a key. */
async function refresh(dialog: ParentNode, subject: Subject, signal: AbortSignal): Promise<void> {
  const { product } = subject;
  const result: Result<AccessKeyCredentials | NatsCredentials> = await fetchResult<
    AccessKeyCredentials | NatsCredentials
  >(() => credentialEndpoints[product].$get({ param: pathOf(subject) }, { init: { signal } }));
  if (result.ok && !signal.aborted) showRotation(dialog, product, result.body);
}
