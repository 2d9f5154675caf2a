/**
 * Merges the audit trails of an organization and its regions into one list, newest first. Each region stores its own trail,
 * so an unavailable region does not affect the others.
 */

import { type AuditEvent, audit } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { fetchResult, type Result } from '../../api/request.ts';

/** The API's filters; always with `organization_id`. */
export type AuditQuery = Record<string, string>;

/** The region of a trail, or {@link GLOBAL}. */
export type Where = string;

export const GLOBAL: Where = 'global';

interface Page {
  events: AuditEvent[];
  next_page_token: string | null;
}

/** A trail: the events read but not yet returned, and the next page token; null at the end. */
interface Trail {
  where: Where;
  ahead: AuditEvent[];
  next: string | null;
}

const PAGE = 50;

export class AuditTrail {
  readonly #query: AuditQuery;
  #trails: Trail[];
  /** The trails that could not be read, with the reasons. */
  readonly unread: { where: Where; problem: Problem }[] = [];

  constructor(query: AuditQuery, localities: readonly Where[]) {
    this.#query = query;
    this.#trails = localities.map((where) => ({ where, ahead: [], next: '' }));
  }

  /** Returns the next events. */
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

/** Removes and returns the newest event of all trails. */
function newest(trails: readonly Trail[]): AuditEvent | undefined {
  const heads = trails.flatMap(({ ahead: [head], ahead }) => (head ? [{ head, ahead }] : []));
  const [first] = heads.sort((a, b) => b.head.recorded_at.localeCompare(a.head.recorded_at));
  return first?.ahead.shift();
}
