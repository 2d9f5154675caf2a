/**
 * The audit trail of an organization as one list, newest first: its own trail and that of each region are separate, so that
 * a region stands alone. What one of them cannot tell now is named, and takes nothing from the others.
 */

import { type AuditEvent, audit } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { fetchResult, type Result } from '../../api/request.ts';

/** Filters as the API takes them; `organization_id` always. */
export type AuditQuery = Record<string, string>;

/** Where a trail is: a region, or the organization's own. */
export type Where = string;

/** The organization's own trail. */
export const GLOBAL: Where = 'global';

interface Page {
  events: AuditEvent[];
  next_page_token: string | null;
}

/** One trail: what was read ahead of it, and where it goes on; null at its end. */
interface Trail {
  where: Where;
  ahead: AuditEvent[];
  next: string | null;
}

const PAGE = 50;

/** See the file's description. */
export class AuditTrail {
  readonly #query: AuditQuery;
  #trails: Trail[];
  /** The trails that could not be read, with what stood in the way. */
  readonly unread: { where: Where; problem: Problem }[] = [];

  constructor(query: AuditQuery, localities: readonly Where[]) {
    this.#query = query;
    this.#trails = localities.map((where) => ({ where, ahead: [], next: '' }));
  }

  /** The next events. `init` may abort. */
  async read(init: RequestInit): Promise<AuditEvent[]> {
    const events: AuditEvent[] = [];
    while (events.length < PAGE) {
      await Promise.all(this.#trails.map((trail) => this.#fill(trail, init)));
      const next = newest(this.#trails);
      if (!next) break;
      events.push(next);
    }
    return events;
  }

  /** Whether there are more to read. */
  get more(): boolean {
    return this.#trails.some(({ ahead, next }) => ahead.length > 0 || next !== null);
  }

  async #fill(trail: Trail, init: RequestInit): Promise<void> {
    if (trail.ahead.length > 0 || trail.next === null) return;
    const result = await this.#page(trail, init);
    if (!result.ok) {
      this.#trails = this.#trails.filter((one) => one !== trail);
      this.unread.push({ where: trail.where, problem: result.problem });
      return;
    }
    trail.ahead = result.body.events;
    trail.next = result.body.next_page_token;
  }

  #page({ where, next }: Trail, init: RequestInit): Promise<Result<Page>> {
    const query = { ...this.#query, page_size: `${PAGE}`, ...(next && { page_token: next }) };
    return fetchResult<Page>(() =>
      where === GLOBAL
        ? audit.organization.$get({ query }, { init })
        : audit.region.$get({ param: { region: where }, query }, { init }),
    );
  }
}

/** Takes the newest event that is next in any of the trails. */
function newest(trails: readonly Trail[]): AuditEvent | undefined {
  const heads = trails.flatMap(({ ahead: [head], ahead }) => (head ? [{ head, ahead }] : []));
  const [first] = heads.sort((a, b) => b.head.recorded_at.localeCompare(a.head.recorded_at));
  return first?.ahead.shift();
}
