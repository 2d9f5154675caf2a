/** Downloads an audit trail. Loaded when the reader asks for one. */

import { sentence } from '../../api/errors.ts';
import { failure, type Notice } from '../../ui/panels/notice.ts';
import { type AuditQuery, AuditTrail, GLOBAL, type Where } from './merged-trail.ts';

/**
 * Starts the download of a trail. Requests it first: a navigation to an error response would replace the page. Returns a
 * notice if it fails.
 */
export async function exportTrail(where: Where, query: AuditQuery): Promise<Notice | undefined> {
  const trail = new AuditTrail(query, [where]);
  await trail.read({});
  const [refused] = trail.unread;
  if (refused) return failure(sentence(refused.problem, 'action'));
  location.assign(exportAddress(where, query));
  return undefined;
}

/** Returns the URL of a trail's export as NDJSON. */
function exportAddress(where: Where, query: AuditQuery): string {
  const path = where === GLOBAL ? 'events' : `regions/${encodeURIComponent(where)}/events`;
  return `/audit-trail/v1alpha1/${path}/export?${new URLSearchParams(query)}`;
}
