/** Loads `<code-samples>` when the reader comes within three quarters of a window's height of the first one. */
import { loadOnSight } from '../ui/load-when-visible.ts';

loadOnSight({ 'code-samples': () => import('./code-samples.ts') }, '75%');
