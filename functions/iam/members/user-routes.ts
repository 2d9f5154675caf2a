/**
 * The user endpoints of Scaleway IAM v1alpha1, for an organization's members. Beyond permissions on `iam`: only Owners
 * promote, demote and remove Owners, and anyone can leave. The statements in db/identity/members.ts keep the last
 * Owner.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import {
  findMember,
  listMembers,
  type Member,
  type MemberPage,
  removeMember,
  setRole,
} from '../../../db/identity/members.ts';
import { ApiError, invalidArgument } from '../../shared/errors.ts';
import { type AppEnv, errorResponses, json, newRouter, noContent, ok } from '../../shared/http.ts';
import { uuid } from '../../shared/schemas.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import { authorize, isOwner } from '../access/authorize.ts';
import { denied, readableOrganizations, writableOrganization } from '../access/organizations.ts';
import { inviteByMail } from './invitations.ts';
import * as schemas from './user-schemas.ts';

const collection = '/users';
const item = `${collection}/{user_id}` as const;
const params = z.object({ user_id: uuid });
const tags = ['IAM'];
const read = { resource: 'iam', action: 'read' } as const;
const write = { resource: 'iam', action: 'write' } as const;

const missing = (id: string) => new ApiError('not_found', { resource: 'user', resource_id: id });
const isWanted = invalidArgument(
  'organization_id',
  'required',
  'is required: you have access to several organizations',
);

const LAST_OWNER = new ApiError('precondition_failed', {
  precondition: 'resource_still_in_use',
  help_message: 'An organization needs at least one Owner. Make someone else an Owner first.',
});

/** Returns the organizations in which the caller can read members, or is the requested user. */
function findVisible(c: Context<AppEnv>, userId: string): string[] {
  const principal = c.get('principal');
  const readable = authorize(principal, read);
  const own = isSelf(c, userId) ? principal.memberships.map(({ organizationId }) => organizationId) : [];
  const seen = new Set([...(readable.ok ? readable.organizationIds : []), ...own]);
  if (seen.size === 0) throw denied('iam', 'read');
  return [...seen];
}

function isSelf(c: Context<AppEnv>, userId: string): boolean {
  const { type, id } = c.get('principal');
  return type === 'user' && id === userId;
}

/** Returns the member of the path. Throws 404, or 400 if the request must name an organization. */
async function memberOf(c: Context<AppEnv>, userId: string, named: string | undefined): Promise<Member> {
  const organizationIds = findVisible(c, userId).filter((id) => named === undefined || id === named);
  const [member, another] = await findMember(c.get('identityDb'), userId, organizationIds);
  if (another) throw isWanted;
  if (!member) throw missing(userId);
  return member;
}

function pageOf(query: z.infer<typeof schemas.listUsersQuery>): MemberPage {
  const [, by, direction] = /^(.*)_(asc|desc)$/.exec(query.order_by) ?? [];
  return {
    offset: (query.page - 1) * query.page_size,
    limit: query.page_size,
    by: (by === 'username' ? 'email' : by) as MemberPage['by'],
    direction: direction as MemberPage['direction'],
  };
}

/** Throws 403 if the caller cannot remove this member from the organization. */
function requireRemoval(c: Context<AppEnv>, { id, role, organizationId }: Member): void {
  if (isSelf(c, id)) return;
  const scope = authorize(c.get('principal'), write);
  if (!scope.ok || !scope.organizationIds.includes(organizationId)) throw denied('iam', 'write');
  if (role === 'owner' && !isOwner(c.get('principal'), organizationId)) throw denied('owner', 'write');
}

export const userRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: collection,
      tags,
      summary: 'List members',
      request: { query: schemas.listUsersQuery },
      responses: {
        ...ok(schemas.userList, { total_count: 1, users: [schemas.userExample] }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const organizationIds = readableOrganizations(c, query.organization_id);
      const filter = { organizationIds, userIds: query.user_ids, role: query.type };
      const { rows, total } = await listMembers(c.get('identityDb'), filter, pageOf(query));
      return c.json({ total_count: total, users: rows.map(schemas.presentUser) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: collection,
      tags,
      summary: 'Invite a member',
      description:
        'Creates a single-use link that is valid for seven days; anyone who opens it can join the organization. If the deployment sends email, the link is emailed. Owners also get it in `invitation_url`, only in this response; for others it is null. If the deployment sends no email, only Owners can invite members; others get 412. Inviting someone again before they join replaces their link.',
      request: {
        body: {
          required: true,
          content: json(schemas.inviteBody, {
            organization_id: schemas.userExample.organization_id,
            email: schemas.userExample.email,
          }),
        },
      },
      responses: {
        ...ok(schemas.invitedUser, {
          ...schemas.userExample,
          invitation_url: 'https://latchkey.example.com/invitation/#7cT3…',
        }),
        ...errorResponses(
          'already_exists',
          'precondition_failed',
          'payload_too_large',
          'unsupported_media_type',
        ),
      },
    }),
    async (c) => {
      const body = c.req.valid('json');
      const organizationId = writableOrganization(c, body.organization_id);
      const { member, url } = await inviteByMail(c, { organizationId, email: body.email });
      if (member.joinedAt !== null) {
        throw new ApiError('already_exists', {
          resource: 'user',
          resource_id: member.id,
          help_message: 'This person is already a member of the organization.',
        });
      }
      return c.json({ ...schemas.presentUser(member), invitation_url: url }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: item,
      tags,
      summary: 'Get a member',
      request: { params, query: schemas.organizationQuery },
      responses: { ...ok(schemas.user, schemas.userExample), ...errorResponses('not_found') },
    }),
    async (c) => {
      const member = await memberOf(c, c.req.valid('param').user_id, c.req.valid('query').organization_id);
      return c.json(schemas.presentUser(member), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'patch',
      path: item,
      tags,
      summary: 'Update the role of a member',
      description:
        'Makes a member an Owner, or an Owner a member. Extends the Scaleway API. Only Owners can do this, and an organization always keeps at least one. A new Owner loses their API keys of the organization, because others might have them.',
      request: {
        params,
        query: schemas.organizationQuery,
        body: { required: true, content: json(schemas.updateUserBody, { type: 'owner' }) },
      },
      responses: {
        ...ok(schemas.user, { ...schemas.userExample, type: 'owner' }),
        ...errorResponses('not_found', 'precondition_failed', 'payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const { type } = c.req.valid('json');
      const { id, organizationId } = await memberOf(
        c,
        c.req.valid('param').user_id,
        c.req.valid('query').organization_id,
      );
      if (!isOwner(c.get('principal'), organizationId)) throw denied('owner', 'write');
      const member = await setRole(
        c.get('identityDb'),
        auditContextOf(c),
        { userId: id, organizationId },
        type,
      );
      if (!member) throw missing(id);
      if (member.role !== type) {
        if (type === 'member') throw LAST_OWNER;
        throw new ApiError('precondition_failed', {
          precondition: 'unknown_precondition',
          help_message: 'The member must accept the invitation before becoming an Owner.',
        });
      }
      return c.json(schemas.presentUser(member), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: item,
      tags,
      summary: 'Remove a member from an organization',
      description:
        'Deletes their API keys of the organization. Their policies stay, without a principal. Any member can leave, except the last Owner.',
      request: { params, query: schemas.organizationQuery },
      responses: { ...noContent, ...errorResponses('not_found', 'precondition_failed') },
    }),
    async (c) => {
      const member = await memberOf(c, c.req.valid('param').user_id, c.req.valid('query').organization_id);
      requireRemoval(c, member);
      const { id: userId, organizationId, role } = member;
      if (!(await removeMember(c.get('identityDb'), auditContextOf(c), { userId, organizationId, role }))) {
        throw role === 'owner' ? LAST_OWNER : missing(userId);
      }
      return c.body(null, 204);
    },
  );
