/** Finds the credentials that a pasted key belongs to, in the panel of credential-picker.astro. Loaded on a click. */

import { lookup } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { fetchResult } from '../../api/request.ts';
import { find } from '../../ui/dom.ts';
import { failure, info, type Notice, say, success } from '../../ui/panels/notice.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { checksumIn, publicKeyIn } from '../find-public-key.ts';
import type { CredentialGuide } from './credential-guide.ts';

/** Follows the credentials of the key in the text area, and says what was found. Resolves to true. */
export async function findKey(guide: CredentialGuide): Promise<true> {
  const panel = find(guide, '[data-block="find-key"]', HTMLElement);
  const input = find(panel, 'textarea', HTMLTextAreaElement);
  say(panel);
  const notice = await follow(guide, input.value);
  // The pasted text may contain a secret.
  if (notice.kind === 'success') input.value = '';
  say(panel, notice);
  return true;
}

async function follow(guide: CredentialGuide, text: string): Promise<Notice> {
  const key = publicKeyIn(text);
  const checksum = key ? undefined : await checksumIn(text);
  if (!key && !checksum) {
    return failure(
      'No key was found in this text. Paste the access key, the secret key (latchkey_…), the U… key, or all of the .creds file.',
    );
  }
  const result = await fetchResult(() =>
    lookup.$get({ query: key ? { key } : { secret_checksum: checksum } }),
  );
  if (!result.ok) return failure(sentence(result.problem, 'action'));
  const { results, unavailable_regions: silent } = result.body;
  const regions = silent.map(regionLabel).join(', ');
  const caveat = regions ? ` ${regions} did not respond, so it may be there.` : '';
  const [found] = results;
  const what = key ?? 'This secret key';
  if (!found)
    return info(`${what} belongs to nothing that you have access to, or no longer exists.${caveat}`);
  const { product, region, project_id: project, credentials } = found;
  if (product === 'api_key') return info(`${what} is an API key. Delete it under IAM in the console.`);
  if (!credentials)
    return info(`${what} is a NATS account. Paste the .creds file, or its U… key, to find credentials.`);
  await guide.show(product, { region: region ?? '', project }, credentials.id);
  return success(`Found ${credentials.name}. Continue with the next step.`);
}
