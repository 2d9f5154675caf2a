/** What the dialogs that change credentials are about, and what they return. */
import type { AccessKeyCredentials, NatsAccount, NatsCredentials } from '../../api/api.ts';
import type { GuideProgress } from '../../guide/progress.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import type { AccessKeyProductId } from '../access-key/products.ts';

/** Credentials, with what their dialogs need to know. */
export type Subject =
  | { product: 'nats'; credentials: NatsCredentials; account: NatsAccount }
  | {
      product: AccessKeyProductId;
      credentials: AccessKeyCredentials;
      /** The product's URL for clients. */
      endpoint: string;
    };

/** The outcome of a change. */
export interface Change {
  notice: Notice;
  progress: Partial<GuideProgress>;
  /** How many servers have confirmed a revocation of NATS credentials, in words, if not all have. */
  unconfirmed?: string | undefined;
}

/** Returns what the dialogs show about credentials. */
export function textsOf(subject: Subject): Record<string, string> {
  const { name, region } = subject.credentials;
  const account = subject.product === 'nats' ? subject.account.name : '';
  return { name, account, region: regionLabel(region) };
}

/** Returns the parameters of the path of credentials. */
export const pathOf = ({ credentials: { id, region } }: Subject) => ({ region, credentials_id: id });
