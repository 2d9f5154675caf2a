/**
 * When the steps of guides are done. Each condition depends on responses of the API, never on a click alone. Steps that the
 * API cannot know about, such as storing a file, are not in the table.
 */

/** What responses on this page have shown so far. */
export interface GuideProgress {
  /** Whether the region has responded with the NATS accounts or the state of the product. */
  regionLoaded: boolean;
  /** The listed credentials of the chosen account or project. */
  listed?: ReadonlySet<string>;
  /** The last credentials created on this page. */
  issued?: string;
  /** The last credentials updated on this page. */
  updated?: string;
  /** The last credentials revoked on this page. `pending` until all servers have confirmed it. */
  revoked?: { id: string; pending: boolean };
}

const STEPS: Record<string, (progress: GuideProgress) => boolean> = {
  region: (progress) => progress.regionLoaded,
  account: (progress) => progress.listed !== undefined,
  generate: (progress) => progress.issued !== undefined,
  listed: ({ issued, listed }) => issued !== undefined && listed?.has(issued) === true,
  update: ({ updated }) => updated !== undefined,
  find: ({ listed, revoked }) => revoked !== undefined || (listed !== undefined && listed.size > 0),
  revoke: ({ revoked, listed }) => revoked?.pending === false && listed?.has(revoked.id) === false,
};

/** Marks the steps under `root` that are done, and no others. */
export function tickSteps(root: ParentNode, progress: GuideProgress): void {
  markSteps(root, (step) => STEPS[step]?.(progress) ?? false);
}

/** Marks the steps under `root` for whose name `isDone` returns true, and no others. */
export function markSteps(root: ParentNode, isDone: (step: string) => boolean): void {
  for (const step of root.querySelectorAll<HTMLElement>('[data-step]')) {
    const done = isDone(step.dataset.step ?? '');
    step.toggleAttribute('data-done', done);
    const note = step.querySelector<HTMLElement>('[data-done-note]');
    if (note) note.hidden = !done;
  }
}
