/** Connects the drop-downs of project-region-fields.astro with the selection. */

import type { Project } from '../api/api.ts';
import { choose, currentSelection } from './selection.ts';

/** A valid region and one of the reader's projects. */
export interface ProjectRegion {
  region: string;
  project: string;
}

/** Shows the stored region under `root`, also to signed-out readers, and stores what the reader chooses. */
export function bindProjectRegionFields(root: ParentNode): void {
  follow(root, 'region');
  const region = selectOf(root, 'region');
  if (region) region.disabled = false;
  for (const member of ['region', 'project'] as const) {
    const select = selectOf(root, member);
    select?.addEventListener('change', () => choose({ [member]: select.value }));
  }
}

/**
 * Fills the drop-down under `root` and selects the stored project, or else the first. Returns the selection. Pages without
 * drop-downs use the stored selection.
 */
export function fillProjectOptions(
  root: ParentNode,
  projects: Project[],
  options: HTMLElement[],
): ProjectRegion {
  const select = selectOf(root, 'project');
  select?.replaceChildren(...options);
  if (select) select.disabled = false;
  const wanted = projects.find(({ id }) => id === currentSelection().project) ?? projects[0];
  if (select && wanted) select.value = wanted.id;
  const selection = { region: selectionUnder(root).region, project: wanted?.id ?? '' };
  choose(selection);
  return selection;
}

/** Updates the drop-downs under `root` to the selection, and returns what they show. */
export function followSelection(root: ParentNode): ProjectRegion {
  follow(root, 'region');
  follow(root, 'project');
  return selectionUnder(root);
}

/** Leaves a drop-down without that option alone: its options are about to change. */
function follow(root: ParentNode, name: keyof ProjectRegion): void {
  const select = selectOf(root, name);
  const wanted = currentSelection()[name];
  if (select && [...select.options].some(({ value }) => value === wanted)) select.value = wanted ?? '';
}

function selectionUnder(root: ParentNode): ProjectRegion {
  const { region = REGIONS[0]?.name ?? '', project = '' } = currentSelection();
  return {
    region: selectOf(root, 'region')?.value ?? region,
    project: selectOf(root, 'project')?.value ?? project,
  };
}

const selectOf = (root: ParentNode, name: keyof ProjectRegion) =>
  root.querySelector<HTMLSelectElement>(`select[name="${name}"]`);
