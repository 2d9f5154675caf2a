/** When the steps of guides about one set of credentials are done: depends on responses of the API, never on a click alone. */

/** What a guide knows about the credentials that it follows. */
export interface FollowedState {
  /** `revoked` once they no longer exist and, for NATS, all servers have confirmed that. */
  status: 'enabled' | 'disabled' | 'expired' | 'revoked';
  /** `finished` if only the new key is left. */
  rotation: 'none' | 'started' | 'finished';
  newKeyUsed: boolean;
  /** Whether their use in the last day is shown. */
  useShown: boolean;
  /** Whether there are newer credentials, created after these were denied. */
  replaced: boolean;
}

const STEPS: Record<string, (state: FollowedState) => boolean> = {
  choose: () => true,
  rotate: ({ rotation }) => rotation !== 'none',
  'use-new-key': ({ newKeyUsed }) => newKeyUsed,
  'finish-rotation': ({ rotation }) => rotation === 'finished',
  disable: ({ status }) => status !== 'enabled',
  'see-use': ({ useShown }) => useShown,
  replace: ({ replaced }) => replaced,
  'revoke-followed': ({ status }) => status === 'revoked',
};

/** Returns whether a step is done. */
export const isStepDone = (step: string, state: FollowedState): boolean => STEPS[step]?.(state) ?? false;
