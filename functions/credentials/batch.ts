/** Changes several credentials of a product at once, or reports what the change would do. */
import type { Context } from 'hono';
import type * as z from 'zod';
import type { AuditContext } from '../../db/audit.ts';
import {
  type Credential,
  type CredentialsRef,
  disableCredentials,
  getCredentials,
  listCredentials,
  revokeCredentials,
} from '../../db/region/credentials.ts';
import { announceAndReport } from '../guard/announce.ts';
import { requireScope } from '../iam/access/require-access.ts';
import { countConnections, publishAndReport } from '../nats/publication.ts';
import { invalidArgument } from '../shared/errors.ts';
import { type AppEnv, apiTimeOrNull, ENFORCEMENT_HEADER } from '../shared/http.ts';
import { auditContextOf } from '../shared/write-context.ts';
import { filterOf, keysOf } from './handlers.ts';
import { type Product, statusOf } from './products.ts';
import { type batchBody, type batchResult, MAX_BATCH } from './schemas.ts';

type C = Context<AppEnv>;
type Body = z.infer<typeof batchBody>;

/** NATS accounts that are pushed, or asked for connections, at the same time. */
const CONCURRENCY = 6;

/** Runs a batch. Returns a result for each id, and the header that reports whether the changes are in force. */
export async function runBatch(
  c: C,
  product: Product,
  body: Body,
): Promise<{ result: z.infer<typeof batchResult>; headers: Record<string, string> }> {
  const { projectIds } = requireScope(c, { resource: product.id, action: 'write' }, body.filter?.project_id);
  const ids = body.ids ?? (await matchingIds(c, product, projectIds, body));
  const ref = { ids, product: product.id, projectIds };
  const audit = auditContextOf(c);
  // Read before the change: revoked credentials have no row afterwards.
  const rows = new Map((await getCredentials(c.get('regionDb'), ref)).map((row) => [row.id, row]));
  const found = [...rows.values()];
  const changed = new Set(
    body.dry_run ? wouldChange(found, body.action, audit.now) : await change(c, audit, ref, body),
  );
  const connections = body.dry_run ? await connectionsOf(c, found) : new Map<string, number>();
  const results = ids.map((id) => {
    const row = rows.get(id);
    return {
      id,
      name: row?.name ?? null,
      result: !row ? ('not_found' as const) : changed.has(id) ? ('changed' as const) : ('unchanged' as const),
      last_used_at: apiTimeOrNull(row?.lastUsedAt ?? null),
      connections: (row && connections.get(row.key)) ?? null,
    };
  });
  const headers = body.dry_run
    ? {}
    : await enforce(
        c,
        found.filter(({ id }) => changed.has(id)),
      );
  return { result: { dry_run: body.dry_run, results }, headers };
}

async function matchingIds(
  c: C,
  product: Product,
  projectIds: readonly string[],
  { filter = {} }: Body,
): Promise<string[]> {
  const page = { offset: 0, limit: MAX_BATCH, by: 'created_at', direction: 'asc' } as const;
  const within = { projectIds, natsAccountId: filter.nats_account_id };
  const { rows, total } = await listCredentials(
    c.get('regionDb'),
    product.id,
    within,
    filterOf(filter),
    page,
  );
  if (total > MAX_BATCH)
    throw invalidArgument(
      'filter',
      'constraint',
      `must match at most ${MAX_BATCH} credentials; it matches ${total}`,
    );
  return rows.map(({ id }) => id);
}

function wouldChange(found: readonly Credential[], action: Body['action'], now: number): string[] {
  const changes = (row: Credential) =>
    action === 'revoke' ||
    (action === 'disable') !== (row.disabledAt !== null) ||
    statusOf(row, now) === 'expired';
  return found.filter(changes).map(({ id }) => id);
}

async function change(
  c: C,
  audit: AuditContext,
  ref: CredentialsRef,
  { action, reason }: Body,
): Promise<string[]> {
  const regionDb = c.get('regionDb');
  if (action === 'revoke') return (await revokeCredentials(regionDb, audit, ref)).map(({ id }) => id);
  const disabling = action === 'disable' ? { reason: reason || null, revokeAt: null } : null;
  return (await disableCredentials(regionDb, audit, ref, disabling)).changed;
}

/** Brings the changes into force: `pending` if one of them is. */
async function enforce(c: C, changed: readonly Credential[]): Promise<Record<string, string>> {
  const accounts = [...new Set(changed.flatMap(({ natsAccountId }) => natsAccountId ?? []))];
  if (accounts.length === 0)
    return announceAndReport(
      c,
      changed.flatMap(({ key, rotation }) => keysOf(key, rotation)),
    );
  const reports = await inParallel(accounts, (account) =>
    publishAndReport(c.get('config'), { region: c.get('region').name, account, user: null }),
  );
  const states = reports.map((report) => report[ENFORCEMENT_HEADER] ?? 'pending');
  return {
    [ENFORCEMENT_HEADER]: states.find((state) => !state.startsWith('enforced')) ?? states[0] ?? 'enforced',
  };
}

/** Returns the number of open connections of NATS users, by key. Empty for other products, or if servers do not respond. */
async function connectionsOf(c: C, found: readonly Credential[]): Promise<Map<string, number>> {
  const accounts = [...new Set(found.flatMap(({ natsAccountId }) => natsAccountId ?? []))];
  const counted = await inParallel(accounts, (account) =>
    countConnections(c.get('config'), c.get('region'), account),
  );
  return new Map(counted.flatMap((counts) => [...counts]));
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const waiting = items.entries();
  const results: Result[] = [];
  const worker = async () => {
    for (const [i, item] of waiting) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return results;
}
