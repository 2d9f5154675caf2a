/** Reads the credentials in the address of a guide. Loaded only if the address has some. */
import { sentence } from '../../api/errors.ts';
import { type CredentialProductId, credentialEndpoints } from '../../api/on-demand.ts';
import { fetchResult } from '../../api/request.ts';
import { failure, info, type Notice } from '../../ui/panels/notice.ts';
import type { Choice } from './credential-picker.ts';

type Credentials = Choice['credentials'];

/** Resolves to the credentials, or to a notice that says why they cannot be shown. */
export async function readCredentials(
  product: CredentialProductId,
  param: { region: string; credentials_id: string },
): Promise<Credentials | Notice> {
  const result = await fetchResult<Credentials>(() => credentialEndpoints[product].$get({ param }));
  if (result.ok) return result.body;
  return result.problem.kind === 'gone'
    ? info('The credentials in the address of this page no longer exist, or you cannot read them.')
    : failure(sentence(result.problem, 'list'));
}
