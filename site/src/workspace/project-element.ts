/** Base class of the elements about the selected project and region: loads the projects and follows the selection. */

import type { Problem } from '../api/errors.ts';
import { onStale, type Panel } from '../ui/panels/panel.ts';
import { loadProject } from './load-project.ts';
import { bindProjectRegionFields, followSelection, type ProjectRegion } from './project-region-fields.ts';
import { regionLabel } from './region-label.ts';
import { SELECTION_CHANGED } from './selection.ts';

export abstract class ProjectElement extends HTMLElement {
  /** Undefined until the projects are loaded. */
  selection: ProjectRegion | undefined;
  /** The panel that shows why there is no project. */
  abstract readonly panel: Panel;
  /** Loads the data of a new selection. */
  abstract load(): Promise<void>;
  /** Loads the same data again. The old data stays visible until then. */
  protected abstract reload(): Promise<void>;

  connectedCallback(): void {
    bindProjectRegionFields(this);
    document.addEventListener(SELECTION_CHANGED, () => this.#follow());
    onStale(this.panel, {
      start: () => this.start(),
      open: () => loadProject(this),
      again: () => this.reload(),
    });
    this.#follow();
    void this.start();
  }

  protected async start(): Promise<void> {
    this.showLoading();
    const opened = await loadProject(this);
    if (!opened.ok) return this.fail(opened.problem);
    this.selection = opened.selection;
    await this.load();
  }

  protected showLoading(): void {
    this.panel.show('loading');
  }

  fail(problem: Problem): void {
    this.panel.fail(problem);
  }

  /** Called for every change of the selection, and at the start. */
  protected selectionChanged(): void {}

  #follow(): void {
    const before = this.selection;
    const selection = followSelection(this);
    this.panel.nameRegion(regionLabel(selection.region));
    this.selectionChanged();
    if (!before || (before.region === selection.region && before.project === selection.project)) return;
    this.selection = selection;
    void this.load();
  }
}
