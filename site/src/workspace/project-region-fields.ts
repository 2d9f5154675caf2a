/** Joins the drop-downs of project-region-fields.astro to the place that all forms share. Owns no request. */

import type { Project } from '../api/api.ts';
import { choose, currentSelection } from './selection.ts';

/** The place that forms can work with: a region that is served and a project that is the reader's. */
export interface ProjectRegion {
  region: string;
  project: string;
}

/** Shows the remembered region under `root`, to who is signed out too, and keeps what the reader chooses. */
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
 * Offers the reader's projects under `root`, as `options`, and settles the place: what is remembered, or else the first. A
 * page about one thing has no drop-downs: its place is the remembered one.
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

/** Brings the drop-downs under `root` in line with a choice that was made elsewhere on the page. */
export function followSelection(root: ParentNode): ProjectRegion {
  follow(root, 'region');
  follow(root, 'project');
  return selectionUnder(root);
}

/** A drop-down that does not offer what is chosen stays: it is about to offer other things. */
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
