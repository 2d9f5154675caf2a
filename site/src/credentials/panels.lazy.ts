/**
 * Loads what a page has further down when the reader comes within three quarters of a window's height of the first of its
 * kind. What is in a tab is not in sight before the tab is shown.
 */
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
