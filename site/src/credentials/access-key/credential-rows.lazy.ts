/** The code for rows of credentials with permissions: access level and menu. Loaded when there are some. */

export { attachMenu } from '../../ui/panels/row-menu.lazy.ts';
export { accessLevel } from '../access-level.ts';
