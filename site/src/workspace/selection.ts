/**
 * The selected organization, region, project and NATS account, shared by all forms and pages. Stored in the address, to
 * share views, and in local storage, for the next page. Contains no secrets.
 */

/** Members are undefined until they are chosen. */
export interface Selection {
  /** For the pages of an organization. */
  organization?: string | undefined;
  region?: string | undefined;
  project?: string | undefined;
  account?: string | undefined;
}

const KEY = 'latchkey:selection';
const MEMBERS = ['region', 'project', 'account', 'organization'] as const;

/** Returns the query parameter of a member. On the page of a NATS account, the account is `id`. */
const parameterOf = (member: (typeof MEMBERS)[number]): string =>
  member === 'account' && location.pathname.startsWith(ACCOUNT_PAGE) ? 'id' : member;

const ACCOUNT_PAGE = '/console/nats/account/';

/**
 * Returns the URL of a NATS account's page in the console. Here, because {@link currentSelection} reads this page's
 * address.
 */
export function accountPage(region: string, account: string): string {
  return `${ACCOUNT_PAGE}?${new URLSearchParams({ id: account, region })}`;
}

/** Dispatched on `document` when the selection changes. Its detail is the {@link Selection}. */
export const SELECTION_CHANGED = 'latchkey:selection';

/** Returns the selection from the address, or else the stored one. */
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

/**
 * Stores a choice and notifies the forms of this page. Another region or project clears the account, unless the choice
 * includes one.
 */
export function choose(choice: Selection): void {
  const before = currentSelection();
  // Setting a member for the first time does not clear the account.
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
    // Storage may be blocked or full. The address has the selection, too.
  }
}
