/**
 * The two endpoints behind an invitation's link, below `/auth`: what it invites to, and accepting it. Both are public,
 * since the token is what lets one in; it comes in the body and is never repeated.
 */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { openDatabase } from '../../db/database.ts';
import { acceptInvitation, findInvitation, type Invitation } from '../../db/identity/invitations.ts';
import { type AppEnv, bodyOf, changeOf } from '../app.ts';
import { partyName } from '../credentials/schemas.ts';
import { ApiError, invalidArgument } from '../errors.ts';
import { limitAttempts } from './limits.ts';
import { hashLinkToken } from './link-tokens.ts';
import { hashPassword, newPassword } from './passwords.ts';
import { bearerOfSession } from './principals.ts';
import { requireSameOrigin } from './session-cookie.ts';

const token = z.string().regex(/^[\w-]{43}$/, 'must be the token of an invitation');
const previewBody = z.object({ token });
const acceptBody = z.object({ token, name: partyName.optional(), password: newPassword.optional() });

const gone = () => new ApiError('not_found', { resource: 'invitation', resource_id: '' });

async function invitationOf(c: Context<AppEnv>, tokenHash: string): Promise<Invitation> {
  const invitation = await findInvitation(c.get('identity'), tokenHash);
  if (!invitation) throw gone();
  if (invitation.expiresAt <= Date.now()) {
    throw new ApiError('precondition_failed', {
      precondition: 'unknown_precondition',
      help_message: 'This invitation has expired. Ask whoever invited you for a new one.',
    });
  }
  return invitation;
}

/** Refuses whoever is not signed in as the person who is invited and has an account. */
async function requireInvited(c: Context<AppEnv>, { userId }: Invitation): Promise<void> {
  const bearer = await bearerOfSession(c);
  if (!bearer) throw new ApiError('denied_authentication', { method: 'session', reason: 'not_found' });
  if (bearer.id !== userId) {
    throw new ApiError('permissions_denied', { details: [{ resource: 'invitation', action: 'write' }] });
  }
}

/** How someone without an account is going to sign in; null for who has one. */
async function signInOf({ signsIn }: Invitation, { name, password }: z.infer<typeof acceptBody>) {
  if (signsIn) return null;
  if (name === undefined) throw invalidArgument('name', 'required', 'is required');
  if (password === undefined) throw invalidArgument('password', 'required', 'is required');
  return { name, passwordHash: await hashPassword(password) };
}

async function ready(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  requireSameOrigin(c);
  await limitAttempts(c);
  c.set('identity', openDatabase(c.get('config').identity));
  await next();
}

/** Below `/auth`. */
export const invitationRoutes = new Hono<AppEnv>()
  .post('/invitation', ready, async (c) => {
    const body = await bodyOf(c, previewBody);
    const invitation = await invitationOf(c, await hashLinkToken(body.token));
    return c.json({
      organization_name: invitation.organizationName,
      email: invitation.email,
      expires_at: new Date(invitation.expiresAt).toISOString(),
      password_needed: !invitation.signsIn,
    });
  })
  .post('/accept-invitation', ready, async (c) => {
    const body = await bodyOf(c, acceptBody);
    const tokenHash = await hashLinkToken(body.token);
    const invitation = await invitationOf(c, tokenHash);
    if (invitation.signsIn) await requireInvited(c, invitation);
    const signIn = await signInOf(invitation, body);
    const { userId, organizationId } = invitation;
    const change = changeOf(c, { type: 'user', id: userId, accessKey: null });
    const accepted = { tokenHash, userId, organizationId };
    if (!(await acceptInvitation(c.get('identity'), change, accepted, signIn))) throw gone();
    return c.json({ organization_id: organizationId, user_id: userId });
  });
