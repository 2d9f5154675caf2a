/**
 * Loads the element `<keyed-credentials>` when the reader comes within a window's height of the first one, and
 * `<keyed-inventory>` in it when its tab is shown.
 */
import { loadOnSight } from '../lib/on-sight.ts';

loadOnSight(
  {
    'keyed-credentials': () => import('./keyed-credentials.ts'),
    'keyed-inventory': () => import('./keyed-inventory.ts'),
  },
  '100%',
);
