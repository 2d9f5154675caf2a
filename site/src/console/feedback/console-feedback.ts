/** The element `<console-feedback>`: lists readers' feedback about pages. */

import { type Feedback, feedback } from '../../api/api.ts';
import { LatestRequest } from '../../api/request.ts';
import { currentSession } from '../../api/session.ts';
import { fill, find } from '../../ui/dom.ts';
import { Panel } from '../../ui/panels/panel.ts';
import { showTime } from '../../ui/time.ts';

class FeedbackList extends Panel {
  bind(reactions: { retry: () => unknown; more: (page: number) => unknown }): void {
    this.on('retry', reactions.retry);
    this.onMore('more-feedback', reactions.more);
  }

  render(said: Feedback[], total: number, page: number): Promise<void> {
    const rows = said.map((feedback, at) => ({
      id: `${page} ${at}`,
      look: feedback,
      render: () => this.#row(feedback),
    }));
    return this.showPages('feedback', rows, total, page);
  }

  #row({ page: path, helpful, remark, at }: Feedback): HTMLElement {
    const row = this.copy('feedback');
    fill(row, { page: path, helpful: helpful ? 'Yes' : 'No', remark });
    // `//host` would lead to another host. Old rows can contain such paths.
    if (!path.startsWith('//')) find(row, 'a', HTMLAnchorElement).href = path;
    showTime(find(row, 'time', HTMLTimeElement), at);
    return row;
  }
}

class ConsoleFeedback extends HTMLElement {
  #list = new FeedbackList(this, 'feedback');
  #latest = new LatestRequest();

  connectedCallback(): void {
    this.#list.bind({ retry: () => this.#load(), more: (page) => this.#load(page) });
    void this.#load();
  }

  async #load(page = 1): Promise<void> {
    if (page === 1) this.#list.show('loading');
    const session = await currentSession();
    if (!session.ok) return this.#list.fail(session.problem);
    if (!session.body) return this.#list.fail({ kind: 'signed-out' });
    const query = { page: `${page}`, page_size: '50' };
    const result = await this.#latest.fetchResult((init) => feedback.$get({ query }, { init }));
    if (!result.ok) return this.#list.fail(result.problem);
    this.#list.render(result.body.feedback, result.body.total_count, page);
  }
}

customElements.define('console-feedback', ConsoleFeedback);
