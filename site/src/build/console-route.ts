/**
 * Gives the console's pages their own side menu, and removes their table of contents, edit link and pagination. The
 * documentation's menu is in astro.config.ts.
 */

import { defineRouteMiddleware, type StarlightRouteData } from '@astrojs/starlight/route-data';
import type { ProductId } from '../../../db/products.ts';
import { PRODUCT_LABELS } from '../../../functions/shared/products.ts';

/** Each product's page: label and path. */
const PRODUCTS: Record<ProductId, [label: string, href: string]> = {
  nats: [PRODUCT_LABELS.nats, '/console/nats/'],
  sqs: [PRODUCT_LABELS.sqs, '/console/queues/'],
  sns: [PRODUCT_LABELS.sns, '/console/topics-and-events/'],
};

/** The side menu, by section: label and path. */
const SECTIONS: Record<string, [label: string, href: string][]> = {
  Serverless: Object.values(PRODUCTS),
  Organization: [
    ['Projects', '/console/projects/'],
    ['IAM', '/console/iam/'],
    ['Audit trail', '/console/audit/'],
  ],
  You: [['Security', '/account/security/']],
  // Visible only to Owners of the operator's organization (content.css).
  Deployment: [['Feedback', '/console/feedback/']],
};

type Entry = StarlightRouteData['sidebar'][number];

/** Returns whether a page (`console/nats`) is part of the console. */
export function isConsole(id: string): boolean {
  return /^(console|account)(\/|$)/.test(id);
}

export const onRequest = defineRouteMiddleware(({ locals }) => {
  const route = locals.starlightRoute;
  if (!isConsole(route.id)) return;
  route.sidebar = sidebarAt(`/${route.id}/`);
  route.hasSidebar = true;
  route.toc = undefined;
  route.editUrl = undefined;
  route.lastUpdated = undefined;
  route.pagination = { prev: undefined, next: undefined };
});

function sidebarAt(path: string): Entry[] {
  const sections = Object.entries(SECTIONS).map(
    ([label, links]): Entry => ({
      type: 'group',
      label,
      collapsed: false,
      badge: undefined,
      entries: links.map(([name, href]) => link(name, href, path)),
    }),
  );
  return [link('Overview', '/console/', path), ...sections];
}

function link(label: string, href: string, path: string) {
  const isCurrent = path === href;
  // Highlight an entry of the menu on the pages below it.
  const within = !isCurrent && href !== '/console/' && path.startsWith(href);
  return {
    type: 'link' as const,
    label,
    href,
    isCurrent,
    badge: undefined,
    attrs: within ? { 'aria-current': 'true' as const } : {},
  };
}
