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
  /** The credentials that the guide follows, as the API last returned them. Undefined until they are chosen. */
  followed?: FollowedState | undefined;
}

/** What a guide about one set of credentials knows about it. */
export interface FollowedState {
  /** `revoked` once it no longer exists and, for NATS, all servers have confirmed that. */
  status: 'enabled' | 'disabled' | 'expired' | 'revoked';
  /** `finished` if only the new key is left. */
  rotation: 'none' | 'started' | 'finished';
  newKeyUsed: boolean;
  /** Whether its use in the last day is shown. */
  useShown: boolean;
  /** Whether there are newer credentials, created after these were denied. */
  replaced: boolean;
}

const STEPS: Record<string, (progress: GuideProgress) => boolean> = {
  region: (progress) => progress.regionLoaded,
  account: (progress) => progress.listed !== undefined,
  generate: (progress) => progress.issued !== undefined,
  listed: ({ issued, listed }) => issued !== undefined && listed?.has(issued) === true,
  update: ({ updated }) => updated !== undefined,
  find: ({ listed, revoked }) => revoked !== undefined || (listed !== undefined && listed.size > 0),
  revoke: ({ revoked, listed }) => revoked?.pending === false && listed?.has(revoked.id) === false,
  choose: ({ followed }) => followed !== undefined,
  rotate: ({ followed }) => followed !== undefined && followed.rotation !== 'none',
  'use-new-key': ({ followed }) => followed?.newKeyUsed === true,
  'finish-rotation': ({ followed }) => followed?.rotation === 'finished',
  disable: ({ followed }) => followed !== undefined && followed.status !== 'enabled',
  'see-use': ({ followed }) => followed?.useShown === true,
  replace: ({ followed }) => followed?.replaced === true,
  'revoke-followed': ({ followed }) => followed?.status === 'revoked',
};

/** Marks the steps under `root` that are done, and no others. */
export function tickSteps(root: ParentNode, progress: GuideProgress): void {
  for (const step of root.querySelectorAll<HTMLElement>('[data-step]')) {
    const done = STEPS[step.dataset.step ?? '']?.(progress) ?? false;
    step.toggleAttribute('data-done', done);
    const note = step.querySelector<HTMLElement>('[data-done-note]');
    if (note) note.hidden = !done;
  }
}
