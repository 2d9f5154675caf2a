/** Joins the drop-downs of place-fields.astro to the place that all forms share. Owns no request. */

import type { Project } from './api.ts';
import { find } from './markup.ts';
import { choose, currentPlace } from './place.ts';

/** The place that forms can work with: a region that is served and a project that is the reader's. */
export interface ChosenPlace {
  region: string;
  project: string;
}

/** Shows the remembered region under `root` and keeps what the reader chooses. */
export function wirePlaceFields(root: ParentNode): void {
  const region = selectOf(root, 'region');
  followRegion(root);
  region.addEventListener('change', () => choose({ region: region.value }));
  const project = selectOf(root, 'project');
  project.addEventListener('change', () => choose({ project: project.value }));
}

/** Offers the reader's projects under `root` and settles the place: what is remembered, or else the first. */
export function offerProjects(root: ParentNode, projects: Project[]): ChosenPlace {
  const select = selectOf(root, 'project');
  select.replaceChildren(...projects.map(({ id, name }) => new Option(name, id)));
  select.disabled = false;
  const wanted = currentPlace().project;
  if (projects.some(({ id }) => id === wanted)) select.value = wanted ?? '';
  const place = { region: selectOf(root, 'region').value, project: select.value };
  choose(place);
  return place;
}

/** Brings the drop-downs under `root` in line with a choice that was made elsewhere on the page. */
export function followPlace(root: ParentNode): ChosenPlace {
  followRegion(root);
  const project = selectOf(root, 'project');
  project.value = currentPlace().project ?? project.value;
  return { region: selectOf(root, 'region').value, project: project.value };
}

/** What people call a region: "Paris". */
export function regionLabel(region: string): string {
  return REGIONS.find(({ name }) => name === region)?.label ?? region;
}

function followRegion(root: ParentNode): void {
  const select = selectOf(root, 'region');
  const wanted = currentPlace().region;
  if ([...select.options].some(({ value }) => value === wanted)) select.value = wanted ?? '';
}

function selectOf(root: ParentNode, name: keyof ChosenPlace): HTMLSelectElement {
  return find(root, `select[name="${name}"]`, HTMLSelectElement);
}
