/**
 * The schemas `User` and `JWT` of Scaleway IAM v1alpha1, with additions. Fields that Latchkey does not store are
 * present and empty.
 */
import * as z from 'zod';
import type { Member } from '../../../db/identity/members.ts';
import type { Session } from '../../../db/identity/sessions.ts';
import { apiTime, apiTimeOrNull } from '../../shared/http.ts';
import { enumFilter, exactlyOne, paging, uuid } from '../../shared/schemas.ts';

const timestamp = z.iso.datetime();

/** A member of an organization, invited or joined. */
export const user = z
  .object({
    id: z.string(),
    email: z.string(),
    username: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    phone_number: z.string(),
    locale: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
    organization_id: z.string(),
    /** False for the last Owner. */
    deletable: z.boolean(),
    last_login_at: z.null(),
    type: z.enum(['owner', 'member']),
    two_factor_enabled: z.boolean(),
    status: z.enum(['invitation_pending', 'activated']),
    mfa: z.boolean(),
    account_root_user_id: z.string(),
    tags: z.array(z.string()),
    locked: z.boolean(),
    /** Latchkey addition: when the link of a pending invitation expires. */
    invitation_expires_at: timestamp.nullable(),
  })
  .meta({ id: 'User' });

/** A newly invited member. Only Owners get the link, and only once; others get null. */
export const invitedUser = user.extend({ invitation_url: z.string().nullable() }).meta({ id: 'InvitedUser' });

export const email = z.string().trim().toLowerCase().max(254).pipe(z.email());

const blank = (message: string) => z.string().max(0, message).nullish();
const THEIR_OWN = 'is not supported: people choose their name when they accept the invitation';

/** The body that official clients send. It creates an invitation, so it accepts no password. */
const invitedMember = z
  .object({
    email,
    username: z.string().nullish(),
    password: blank('is not supported: people choose their own when they accept the invitation'),
    first_name: blank(THEIR_OWN),
    last_name: blank(THEIR_OWN),
    phone_number: blank('is not supported'),
    locale: blank('is not supported'),
  })
  .refine((member) => !member.username || member.username.toLowerCase() === member.email, {
    path: ['username'],
    message: 'must be the email address: other usernames are not supported',
  });

export const inviteBody = z
  .object({
    organization_id: uuid.optional(),
    email: email.optional(),
    tags: z.array(z.string()).max(0, 'tags of members are not supported').nullish(),
    member: invitedMember.nullish(),
  })
  .refine((body) => !body.email !== !body.member, {
    path: ['email'],
    message: 'exactly one of email and member is required',
  })
  .meta(exactlyOne('email', 'member'))
  .transform(({ email, member, ...body }) => ({ ...body, email: email ?? member?.email ?? '' }));

/** The only change to a member is between Owner and member. */
export const updateUserBody = z.strictObject({ type: z.enum(['owner', 'member']) });

/** Selects one of the caller's organizations; required if the user belongs to several of them. */
export const organizationQuery = z.object({ organization_id: uuid.optional() });

export const listUsersQuery = paging.omit({ order_by: true }).extend({
  organization_id: uuid.optional(),
  user_ids: z
    .union([uuid.transform((id) => [id]), z.array(uuid).max(100)])
    .optional()
    .openapi({ type: 'array', items: { type: 'string' } }),
  type: enumFilter('unknown_type', ['owner', 'member']),
  order_by: z
    .enum([
      'created_at_asc',
      'created_at_desc',
      'updated_at_asc',
      'updated_at_desc',
      'email_asc',
      'email_desc',
      'username_asc',
      'username_desc',
    ])
    .default('created_at_asc'),
});

export const userList = z.object({ total_count: z.number().int(), users: z.array(user) });

/** A browser session of a person. */
export const jwt = z
  .object({
    /** The id of the session; no response contains the token. */
    jti: z.string(),
    issuer_id: z.string(),
    audience_id: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
    expires_at: timestamp,
    ip: z.string(),
    user_agent: z.string(),
    /** Latchkey addition: whether this session made the request. */
    current: z.boolean(),
  })
  .meta({ id: 'JWT' });

export const listJwtsQuery = paging.omit({ order_by: true }).extend({
  audience_id: uuid.optional(),
  order_by: z
    .enum(['created_at_asc', 'created_at_desc', 'updated_at_asc', 'updated_at_desc'])
    .default('created_at_asc'),
});

export const jwtList = z.object({ total_count: z.number().int(), jwts: z.array(jwt) });

export function presentUser(member: Member): z.infer<typeof user> {
  return {
    id: member.id,
    email: member.email,
    username: member.email,
    // Invited people have their email address as name; the API returns an empty name instead.
    first_name: member.name === member.email ? '' : member.name,
    last_name: '',
    phone_number: '',
    locale: '',
    created_at: apiTime(member.createdAt),
    updated_at: apiTime(member.updatedAt),
    organization_id: member.organizationId,
    deletable: !member.lastOwner,
    last_login_at: null,
    type: member.role,
    two_factor_enabled: false,
    status: member.joinedAt === null ? 'invitation_pending' : 'activated',
    mfa: false,
    account_root_user_id: member.id,
    tags: [],
    locked: false,
    invitation_expires_at: apiTimeOrNull(member.invitedUntil),
  };
}

/** Returns the API representation of a session; `current` is the id of the session that made the request. */
export function presentJwt(session: Session, current: string | null): z.infer<typeof jwt> {
  return {
    jti: session.id,
    issuer_id: session.userId,
    audience_id: session.userId,
    created_at: apiTime(session.createdAt),
    updated_at: apiTime(session.updatedAt),
    expires_at: apiTime(session.expiresAt),
    ip: session.ipAddress ?? '',
    user_agent: session.userAgent ?? '',
    current: session.id === current,
  };
}

const at = '2026-11-21T09:00:00.000Z';

export const userExample = {
  id: '6a1f4f4e-6f0c-4b1e-9a57-1f6f0a8d3c44',
  email: 'ada@example.com',
  username: 'ada@example.com',
  first_name: 'Ada',
  last_name: '',
  phone_number: '',
  locale: '',
  created_at: at,
  updated_at: at,
  organization_id: '0c8f2f0e-9d1c-4c39-8a55-3a0b9a7f5e21',
  deletable: true,
  last_login_at: null,
  type: 'member',
  two_factor_enabled: false,
  status: 'invitation_pending',
  mfa: false,
  account_root_user_id: '6a1f4f4e-6f0c-4b1e-9a57-1f6f0a8d3c44',
  tags: [],
  locked: false,
  invitation_expires_at: '2026-11-28T09:00:00.000Z',
} satisfies z.infer<typeof user>;
export const jwtExample = {
  jti: 'b3a0f3a2-53c4-4c0e-8f0b-0d6f7f2d9a11',
  issuer_id: userExample.id,
  audience_id: userExample.id,
  created_at: at,
  updated_at: at,
  expires_at: '2026-11-28T09:00:00.000Z',
  ip: '192.0.2.1',
  user_agent: 'Mozilla/5.0',
  current: true,
} satisfies z.infer<typeof jwt>;
