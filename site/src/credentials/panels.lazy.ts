/** Loads elements shortly before they scroll into view. Elements in a hidden tab are not in view. */
import { loadOnSight } from '../ui/load-when-visible.ts';
import { loadForMembers } from '../ui/panels/load-for-members.ts';

loadOnSight(
  {
    'access-key-credentials': () => import('./access-key/access-key-credentials.ts'),
    'resource-list': () =>
      loadForMembers('resource-list', 'resources', () => import('./access-key/resource-list.ts')),
    'revocation-demo': () => import('./revocation-demo/revocation-demo.lazy.ts'),
  },
  '75%',
);
