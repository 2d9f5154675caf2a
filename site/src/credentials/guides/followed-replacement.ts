/** Whether leaked credentials have a replacement, in replace-stage.astro. */
import {
  type AccessKeyCredentials,
  accessKeyEndpoints,
  type NatsCredentials,
  natsCredentials,
} from '../../api/api.ts';
import type { CredentialProductId } from '../../api/on-demand.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { fill, find } from '../../ui/dom.ts';
import { showTime } from '../../ui/time.ts';

type Credentials = AccessKeyCredentials | NatsCredentials;

/**
 * Returns the newest enabled credentials of the same account or project that were created since these were disabled or
 * expired. Undefined if there are none.
 */
export async function readReplacement(
  product: CredentialProductId,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Result<Credentials | undefined>> {
  const { region, id, status, disabled_at, expires_at } = credentials;
  const since = status === 'enabled' ? undefined : (disabled_at ?? expires_at);
  if (!since) return { ok: true, headers: new Headers(), body: undefined };
  const query = { status: 'enabled', order_by: 'created_at_desc', page_size: '1' } as const;
  const listed: Result<object> = await fetchResult<object>(() => {
    if ('nats_account_id' in credentials) {
      const request = {
        param: { region },
        query: { ...query, nats_account_id: credentials.nats_account_id },
      };
      return natsCredentials.$get(request, { init: { signal } });
    }
    const request = { param: { region }, query: { ...query, project_id: credentials.project_id } };
    const endpoint = accessKeyEndpoints[product as Exclude<CredentialProductId, 'nats'>].credentials;
    return endpoint.$get(request, { init: { signal } });
  });
  if (!listed.ok) return listed;
  const [newest] = (listed.body as Record<string, Credentials[]>)[`${product}_credentials`] ?? [];
  const later = newest && newest.id !== id && Date.parse(newest.created_at) > Date.parse(since);
  return { ...listed, body: later ? newest : undefined };
}

export function showReplacement(stage: ParentNode, { name, created_at }: Credentials): void {
  fill(stage, { replacement: name });
  showTime(find(stage, '[data-time="replaced"]', HTMLTimeElement), created_at);
}

const SECTIONS = { nats: 'nats', sqs: 'queues', sns: 'topics-and-events' };

/** Returns the URL of the form that creates credentials for the same account or project. */
export function createLink(product: CredentialProductId, credentials: Credentials): string {
  const { region } = credentials;
  const within =
    'nats_account_id' in credentials
      ? { account: credentials.nats_account_id }
      : { project: credentials.project_id };
  return `/how-to/create-credentials/?${new URLSearchParams({ region, ...within })}#${SECTIONS[product]}`;
}
