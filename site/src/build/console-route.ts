/**
 * What sets the console's pages apart from the documentation's: a side menu of their own, and no table of contents, edit
 * link or pagination. Runs for each page while the site builds. The documentation's menu is astro.config.ts's.
 */

import { defineRouteMiddleware, type StarlightRouteData } from '@astrojs/starlight/route-data';
import type { ProductId } from '../../../db/products.ts';
import { PRODUCT_LABELS } from '../../../functions/shared/products.ts';

/** The page of each product: label and address. */
const PRODUCTS: Record<ProductId, [label: string, href: string]> = {
  nats: [PRODUCT_LABELS.nats, '/console/nats/'],
  sqs: [PRODUCT_LABELS.sqs, '/console/queues/'],
  sns: [PRODUCT_LABELS.sns, '/console/topics-and-events/'],
};

/** The side menu, by section: label and address. */
const SECTIONS: Record<string, [label: string, href: string][]> = {
  Serverless: Object.values(PRODUCTS),
  Organization: [
    ['Projects', '/console/projects/'],
    ['IAM', '/console/iam/'],
    ['Audit trail', '/console/audit/'],
  ],
  You: [['Security', '/account/security/']],
  // Hidden from everyone but Owners of the operator's organization (content.css).
  Deployment: [['Feedback', '/console/feedback/']],
};

type Entry = StarlightRouteData['sidebar'][number];

/** Whether the page of this id (`console/nats`) has the console's side menu. */
export function isConsole(id: string): boolean {
  return /^(console|account)(\/|$)/.test(id);
}

/** Starlight's route middleware: see the file's description. */
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
  // A page below one of the menu's marks it, but is not it.
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
