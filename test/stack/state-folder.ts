/**
 * The folder of everything that a stack stores. The first start leaves a marker in it, and nothing is deleted or
 * overwritten in a folder without one.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder, systemReason } from './project.ts';
import { Stop } from './tools.mjs';

const MARKER = '.latchkey-state';

/** Files of versions that left no marker. */
const FORMER_MARKERS = ['ports.json', 'secrets.json'];

/**
 * Claims the folder (an absolute path) for a stack: creates it with access for its owner only, or uses an empty one
 * unchanged. Throws {@link Stop} if it contains other files, is not a folder, or cannot be written.
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
 * Returns an empty folder in a claimed state folder, for files that each start creates again; deletes the previous
 * content.
 */
export function emptyFolder(state: string, name: string): string {
  const folder = join(state, 'generated', name);
  if (!existsSync(join(state, MARKER))) throw new Error(`${state} was not claimed`);
  rmSync(folder, { recursive: true, force: true });
  privateFolder(join(state, 'generated'));
  privateFolder(folder);
  return folder;
}
