/** Loads the element of a tab when the tab is first shown. */
import { loadOnSight } from '../../ui/load-when-visible.ts';

loadOnSight({
  'iam-members': () => import('./members.ts'),
  'iam-applications': () => import('./applications.ts'),
  'iam-api-keys': () => import('./api-keys.ts'),
  'iam-policies': () => import('./policies.ts'),
});
