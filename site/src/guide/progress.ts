/**
 * When a step of a guide counts as done. Each is a statement about what the API has answered; a click alone never
 * ticks a step. A step that is not in the table (where to keep a file, say) is one that the API cannot know.
 */

/** What the API has answered on this page so far. */
export interface GuideProgress {
  /** The region told what the project has there: its NATS accounts, or whether the product is active. */
  regionLoaded: boolean;
  /** The credentials of the chosen account, or of the project; absent until they were listed. */
  listed?: ReadonlySet<string>;
  /** The credentials that the API issued last on this page. */
  issued?: string;
  /** The credentials that the API updated last on this page. */
  updated?: string;
  /** The credentials that the API revoked last on this page; pending until every server has confirmed it. */
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

/** Ticks the steps under `root` (step.astro) that the facts show to be done, and no others. */
export function tickSteps(root: ParentNode, progress: GuideProgress): void {
  for (const step of root.querySelectorAll<HTMLElement>('[data-step]')) {
    const done = STEPS[step.dataset.step ?? '']?.(progress) ?? false;
    step.toggleAttribute('data-done', done);
    const note = step.querySelector<HTMLElement>('[data-done-note]');
    if (note) note.hidden = !done;
  }
}
