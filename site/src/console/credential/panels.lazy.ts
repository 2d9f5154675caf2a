/** The panels below the credentials on their page. */

export { HistoryPanel } from './history-panel.ts';
export { UsagePanel } from './usage-panel.ts';
