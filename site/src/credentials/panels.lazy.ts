/**
 * Loads what a page has further down when the reader comes within three quarters of a window's height of the first of its
 * kind. What is in a tab is not in sight before the tab is shown.
 */
import { loadOnSight } from '../ui/load-when-visible.ts';

loadOnSight(
  {
    'keyed-credentials': () => import('./access-key/access-key-credentials.ts'),
    'keyed-inventory': () => import('./access-key/resource-list.lazy.ts'),
    'code-samples': () => import('../guide/code-samples.ts'),
    'live-proof': () => import('./revocation-demo/revocation-demo.lazy.ts'),
  },
  '75%',
);
