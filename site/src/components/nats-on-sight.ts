/** Loads the element `<nats-credentials>` when some of it comes into sight. */
import { loadOnSight } from '../lib/on-sight.ts';

loadOnSight({ 'nats-credentials': () => import('./nats-credentials.ts') }, '-32px');
