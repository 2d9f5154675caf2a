/** Loads `<code-samples>` shortly before it scrolls into view. */
import { loadOnSight } from '../ui/load-when-visible.ts';

loadOnSight({ 'code-samples': () => import('./code-samples.ts') }, '75%');
