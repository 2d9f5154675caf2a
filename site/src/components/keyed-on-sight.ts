/** Loads the element `<keyed-credentials>` when the reader comes within a window's height of the first one. */
import { loadOnSight } from '../lib/on-sight.ts';

loadOnSight({ 'keyed-credentials': () => import('./keyed-credentials.ts') }, '100%');
