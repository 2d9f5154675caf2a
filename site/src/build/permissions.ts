/** The actions that each permission allows, from the gateway's table. */

import {
  actions,
  allows,
  type RequiredPermission,
  type Service,
} from '../../../functions/gateway/actions.ts';
import { PERMISSIONS } from '../../../functions/shared/permissions.ts';

/** An action, with whether each of {@link PERMISSIONS}, in their order, allows it. */
export interface ActionRow {
  name: string;
  enough: boolean[];
}

/** Returns the actions of a service that some permission allows, sorted by name. */
export function servedActions(service: Service): ActionRow[] {
  return entries(service)
    .filter(([, needs]) => needs !== 'refused')
    .map(([name, needs]) => ({ name, enough: PERMISSIONS.map(({ bit }) => allows(needs, bit)) }));
}

/** Returns the actions that a service denies to everyone. */
export function refusedActions(service: Service): string[] {
  return entries(service).flatMap(([name, needs]) => (needs === 'refused' ? name : []));
}

function entries(service: Service): [string, RequiredPermission][] {
  return Object.entries(actions[service])
    .map(([name, { requires }]): [string, RequiredPermission] => [name, requires])
    .sort(([a], [b]) => a.localeCompare(b, 'en'));
}
