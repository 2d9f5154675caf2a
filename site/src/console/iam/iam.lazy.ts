/** Loads the element of a tab when the tab is first shown. */
import { loadOnSight } from '../../ui/load-when-visible.ts';

loadOnSight({
  'iam-members': () => import('./iam-members.ts'),
  'iam-applications': () => import('./iam-applications.ts'),
  'iam-api-keys': () => import('./iam-api-keys.ts'),
  'iam-policies': () => import('./iam-policies.ts'),
});
