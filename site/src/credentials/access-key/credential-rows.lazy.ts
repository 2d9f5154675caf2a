/** What the rows of credentials with permissions have: their access level and their menu. Loaded when there are some. */

export { attachMenu } from '../../ui/panels/row-menu.lazy.ts';
export { accessLevel } from '../access-level.ts';
