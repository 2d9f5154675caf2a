/** Loads the element of a tab when the tab is first shown. */
import { loadOnSight } from '../../ui/load-when-visible.ts';
import { loadForMembers } from '../../ui/panels/load-for-members.ts';

loadOnSight({
  'iam-members': () => loadForMembers('iam-members', 'members', () => import('./iam-members.ts')),
  'iam-applications': () =>
    loadForMembers('iam-applications', 'applications', () => import('./iam-applications.ts')),
  'iam-api-keys': () => loadForMembers('iam-api-keys', 'api-keys', () => import('./iam-api-keys.ts')),
  'iam-settings': () => loadForMembers('iam-settings', 'settings', () => import('./iam-settings.ts')),
  'iam-policies': () => loadForMembers('iam-policies', 'policies', () => import('./iam-policies.ts')),
});
