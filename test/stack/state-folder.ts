/**
 * The folder of everything that a stack stores. It is a stack's own from its first start on, which leaves a marker there:
 * nothing is deleted or overwritten in a folder of somebody else's.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder, systemReason } from './project.ts';
import { Stop } from './tools.mjs';

const MARKER = '.latchkey-state';

/** What starts before there was a marker have left. */
const FORMER_MARKERS = ['ports.json', 'secrets.json'];

/**
 * Makes the folder (an absolute path) a stack's own: creates it, only for its owner to enter, or takes one that is empty
 * as it is. Throws {@link Stop} if it has other files in it, is no folder, or cannot be written.
 */
export function claimStateFolder(state: string): void {
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const names = readdirSync(state);
    if (names.includes(MARKER)) return;
    if (names.length > 0 && !FORMER_MARKERS.every((name) => names.includes(name)))
      throw new Stop(
        `${state} contains files that do not belong to Latchkey. Set LATCHKEY_STATE to a new or empty folder.`,
      );
    writeFileSync(join(state, MARKER), 'State of a local Latchkey stack, created by npm start.\n', {
      mode: 0o600,
    });
  } catch (error) {
    const reason = systemReason(error);
    if (!reason) throw error;
    throw new Stop(
      `${state} cannot be used as the state folder (${reason}). Set LATCHKEY_STATE to another folder.`,
    );
  }
}

/**
 * An empty folder in a state folder that was claimed, for what each start makes again; what an earlier start left in it is
 * deleted.
 */
export function emptyFolder(state: string, name: string): string {
  const folder = join(state, 'generated', name);
  if (!existsSync(join(state, MARKER))) throw new Error(`${state} was not claimed`);
  rmSync(folder, { recursive: true, force: true });
  privateFolder(join(state, 'generated'));
  privateFolder(folder);
  return folder;
}
