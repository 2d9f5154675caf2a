/** Loads nats-roles.ts once its element is in view. Only a page with an account shows it. */
import { loadOnSight } from '../../ui/load-when-visible.ts';

loadOnSight({ 'nats-roles': () => import('./nats-roles.ts') });
