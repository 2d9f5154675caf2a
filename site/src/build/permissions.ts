/**
 * What each permission lets its bearer do, read from the gateway's table of actions while the site builds. Owns the
 * reading only: the page shows what the gateway enforces, and nothing else.
 */

import {
  actions,
  allows,
  type RequiredPermission,
  type Service,
} from '../../../functions/gateway/actions.ts';
import { PERMISSIONS } from '../../../functions/shared/permissions.ts';

/** An action that is served, with whether each of {@link PERMISSIONS}, in their order, is enough for it. */
export interface ActionRow {
  name: string;
  enough: boolean[];
}

/** The actions of a service that some permission opens, by name. */
export function servedActions(service: Service): ActionRow[] {
  return entries(service)
    .filter(([, needs]) => needs !== 'refused')
    .map(([name, needs]) => ({ name, enough: PERMISSIONS.map(({ bit }) => allows(needs, bit)) }));
}

/** The names of the actions that a service refuses to everybody. */
export function refusedActions(service: Service): string[] {
  return entries(service).flatMap(([name, needs]) => (needs === 'refused' ? name : []));
}

function entries(service: Service): [string, RequiredPermission][] {
  return Object.entries(actions[service])
    .map(([name, { requires }]): [string, RequiredPermission] => [name, requires])
    .sort(([a], [b]) => a.localeCompare(b, 'en'));
}
