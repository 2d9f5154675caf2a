/** Trial credentials for Queues and for Topics and Events, used with signed requests. */

import { type AccessKeyCredentials, accessKeyEndpoints, idempotent } from '../../api/api.ts';
import { type ApiResponse, fetchResult } from '../../api/request.ts';
import { failure, pending, success } from '../../ui/panels/notice.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { currentSelection } from '../../workspace/selection.ts';
import { ACCESS_KEY_PRODUCTS, type AccessKeyProductId } from '../access-key/products.ts';
import { LISTING, send } from '../access-key/signed-request.ts';
import { delay } from '../revocation-receipt.ts';
import {
  issue,
  NAME,
  notCreated,
  since,
  type TrialCredentials,
  type TrialResult,
  type Use,
} from './trial-credentials.ts';

const PERMISSIONS = { can_publish: false, can_receive: false, can_manage: true };

type Info = { status: string } & Partial<Record<string, unknown>>;

/** Creates credentials in the selected project and region. */
export async function createAccessKeyTrial(product: AccessKeyProductId): Promise<TrialResult> {
  const { region, project } = currentSelection();
  const { label } = ACCESS_KEY_PRODUCTS[product];
  if (!region || !project) return notCreated('Choose a region and a project first, in the steps above.');
  const param = { region };
  const info = await fetchResult<Info>(() =>
    (accessKeyEndpoints[product].info.$get as Asking<Info>)({ param, query: { project_id: project } }),
  );
  if (!info.ok) return info;
  if (info.body.status !== 'enabled') {
    return notCreated(
      `${label} is not active in ${regionLabel(region)}: activate it first, in the panel above.`,
    );
  }
  const json = { project_id: project, name: NAME, permissions: PERMISSIONS };
  const issued = await issue<AccessKeyCredentials>((key) =>
    fetchResult(() =>
      accessKeyEndpoints[product].credentials.$post({ param, header: idempotent(key, project), json }),
    ),
  );
  if (!issued.ok) return issued;
  return { ok: true, trial: trialOf(issued.body, product, String(info.body[`${product}_endpoint_url`])) };
}

type Asking<Body> = (request: object) => Promise<ApiResponse<Body>>;

function trialOf(
  keys: AccessKeyCredentials,
  product: AccessKeyProductId,
  endpoint: string,
): TrialCredentials {
  const use = async (): Promise<Use> => {
    const began = performance.now();
    const { outcome, code } = await send(keys, product, endpoint, LISTING[product]);
    const text = {
      accepted: `Accepted, ${since(began)}`,
      denied: `Denied: ${code}`,
      unknown: `No answer${code && `: ${code}`}`,
    }[outcome];
    return { action: LISTING[product].action, outcome, text };
  };
  return {
    where: `${ACCESS_KEY_PRODUCTS[product].label} in ${regionLabel(keys.region)}`,
    use,
    revoke: (init = {}) => {
      const request = { param: { region: keys.region, credentials_id: keys.id } };
      return fetchResult<unknown>(() =>
        accessKeyEndpoints[product].credentials[':credentials_id'].$delete(request, { init }),
      );
    },
    async observeRevocation({ answeredAt, headers }, log) {
      const next = await use();
      const took = since(answeredAt);
      log(next);
      const within = delay(headers);
      return {
        accepted: within
          ? pending(`The next request was still accepted. Requests are denied ${within}.`)
          : failure(
              'The next request was still accepted. This must not happen: report it to the operator of this deployment.',
            ),
        denied: success(`Denied on the next request, ${took} after the response to the revocation.`),
        unknown: pending('The credentials are revoked, but the next request got no response to confirm it.'),
      }[next.outcome];
    },
    close: () => undefined,
  };
}
