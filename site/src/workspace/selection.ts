/**
 * Where the reader works: region, project, NATS account and organization, the same down the page and across pages. Kept in the
 * address, so that a link reproduces the view, and in local storage, so that the next page knows. Nothing secret.
 */

/** See the file's description. A member is absent until it has been chosen. */
export interface Selection {
  /** The organization that its own pages are about, for who belongs to several. */
  organization?: string | undefined;
  region?: string | undefined;
  project?: string | undefined;
  account?: string | undefined;
}

const KEY = 'latchkey:selection';
const MEMBERS = ['region', 'project', 'account', 'organization'] as const;

/** What the address calls a member: on the page of one NATS account, that is its `id`. */
const parameterOf = (member: (typeof MEMBERS)[number]): string =>
  member === 'account' && location.pathname.startsWith(ACCOUNT_PAGE) ? 'id' : member;

const ACCOUNT_PAGE = '/console/nats/account/';

/** The address of the console's page about a NATS account. */
export function accountPage(region: string, account: string): string {
  return `${ACCOUNT_PAGE}?${new URLSearchParams({ id: account, region })}`;
}

/** The event that `document` receives when the place changes; its detail is the whole {@link Selection}. */
export const SELECTION_CHANGED = 'latchkey:selection';

/** The place: what the address says, and otherwise what was chosen last. */
export function currentSelection(): Selection {
  const address = new URLSearchParams(location.search);
  const stored = storedSelection();
  const selection: Selection = {};
  for (const member of MEMBERS) {
    const value = address.get(parameterOf(member)) ?? stored[member];
    if (value) selection[member] = value;
  }
  return selection;
}

/** Keeps a choice and tells the forms of this page. A choice above forgets those below it that it was not made with. */
export function choose(choice: Selection): void {
  const before = currentSelection();
  // One that was open before, and now settles, is no move.
  const moved = MEMBERS.slice(0, 2).some((m) => choice[m] && before[m] && choice[m] !== before[m]);
  const { account, ...rest } = before;
  const selection: Selection = { ...rest, ...(account && !moved && { account }), ...choice };
  const address = new URL(location.href);
  for (const member of MEMBERS) {
    const value = selection[member];
    if (value) address.searchParams.set(parameterOf(member), value);
    else address.searchParams.delete(parameterOf(member));
  }
  history.replaceState(history.state, '', address);
  store(selection);
  document.dispatchEvent(new CustomEvent<Selection>(SELECTION_CHANGED, { detail: selection }));
}

function storedSelection(): Partial<Record<string, string>> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}

function store(selection: Selection): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(selection));
  } catch {
    // Storage may be closed to us or full: the address still carries the place.
  }
}
