/** What the rows of credentials with permissions have: their access level and their menu. Loaded when there are some. */
export { accessLevel } from '../lib/access-level.ts';
export { offerMenu } from './row-menu-on-click.ts';
