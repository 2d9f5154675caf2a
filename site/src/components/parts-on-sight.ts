/**
 * Loads what a page has further down when the reader comes within three quarters of a window's height of the first of its
 * kind. What is in a tab is not in sight before the tab is shown.
 */
import { loadOnSight } from '../lib/on-sight.ts';

loadOnSight(
  {
    'keyed-credentials': () => import('./keyed-credentials.ts'),
    'keyed-inventory': () => import('./inventory-on-sight.ts'),
    'code-samples': () => import('./code-samples.ts'),
    'live-proof': () => import('./live-proof-on-click.ts'),
  },
  '75%',
);
