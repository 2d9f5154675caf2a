/** What the actions on credentials need from the element around their dialogs. */
import type { GuideProgress } from '../guide/progress.ts';
import type { Notice } from '../ui/panels/notice.ts';

/** An element that shows credentials, in a list or on a page, and contains the dialogs that change them. */
export interface ActionHost extends HTMLElement {
  /** The panel that shows the outcome. */
  readonly credentials: { announce(notice: Notice): void };
  /** Loads what the element shows again. */
  loadCredentials(): Promise<void>;
  updateProgress(progress: Partial<GuideProgress>): void;
}
