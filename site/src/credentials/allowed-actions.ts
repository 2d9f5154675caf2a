/** The changes of credentials that rows and pages offer. */

export type Action = 'update' | 'rotate' | 'disable' | 'enable' | 'revoke';

/** Returns the actions that the state of credentials allows. NATS credentials have no `update`. */
export function allowedActions({
  status,
  disabled_at: disabled,
  rotation,
}: {
  status: 'enabled' | 'disabled' | 'expired';
  disabled_at: string | null;
  rotation: object | null;
}): Action[] {
  const enabled = status === 'enabled';
  const rotate: Action[] = enabled || rotation ? ['rotate'] : [];
  const disable: Action[] = disabled ? ['enable'] : enabled ? ['disable'] : [];
  return ['update', ...rotate, ...disable, 'revoke'];
}
