/**
 * The public endpoints behind an invitation link, below `/auth`: preview and accept. The token is the authorization; it
 * arrives in the body and is never returned.
 */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { openDatabase } from '../../../db/database.ts';
import { acceptInvitation, findInvitation, type Invitation } from '../../../db/identity/invitations.ts';
import { ApiError, invalidArgument } from '../../shared/errors.ts';
import { type AppEnv, bodyOf } from '../../shared/http.ts';
import { rejectUnknownToken } from '../../shared/rate-limits.ts';
import { displayName } from '../../shared/schemas.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import { sessionCaller } from '../sign-in/authenticate.ts';
import { hashLinkToken } from '../sign-in/link-tokens.ts';
import { hashPassword, newPassword } from '../sign-in/passwords.ts';
import { requireSameOrigin } from '../sign-in/session-cookie.ts';

const token = z.string().regex(/^[\w-]{43}$/, 'must be the token of an invitation');
const previewBody = z.object({ token });
/** Name and password create a sign-in; a signed-in person sends the token alone. */
const acceptBody = z.object({ token, name: displayName.optional(), password: newPassword.optional() });

const gone = () => new ApiError('not_found', { resource: 'invitation', resource_id: '' });

async function invitationOf(c: Context<AppEnv>, tokenHash: string): Promise<Invitation> {
  const invitation = await findInvitation(c.get('identityDb'), tokenHash);
  if (!invitation) {
    await rejectUnknownToken(c);
    throw gone();
  }
  if (invitation.expiresAt <= Date.now()) {
    throw new ApiError('precondition_failed', {
      precondition: 'unknown_precondition',
      help_message: 'This invitation has expired. Ask the person who invited you for a new one.',
    });
  }
  return invitation;
}

/** Returns the session id of the invited person. Throws 401 without a session and 403 for anyone else's. */
async function sessionOf(c: Context<AppEnv>, { userId }: Invitation): Promise<string> {
  const caller = await sessionCaller(c);
  if (!caller?.sessionId)
    throw new ApiError('denied_authentication', { method: 'session', reason: 'not_found' });
  if (caller.id !== userId) {
    throw new ApiError('permissions_denied', { details: [{ resource: 'invitation', action: 'write' }] });
  }
  return caller.sessionId;
}

/**
 * Returns the account that the body asks for, or null if the person has one. Throws 400 if only one of name and
 * password is given.
 */
function wantedAccount({ name, password }: z.infer<typeof acceptBody>) {
  if (name === undefined && password === undefined) return null;
  if (name === undefined) throw invalidArgument('name', 'required', 'is required');
  if (password === undefined) throw invalidArgument('password', 'required', 'is required');
  return { name, password };
}

async function ready(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  requireSameOrigin(c);
  c.set('identityDb', openDatabase(c.get('config').identity));
  await next();
}

/**
 * Neither the preview nor a request with only the token depends on whether the person has an account. Owners see
 * invitation links, so they could otherwise find out whether any address has an account by inviting it.
 */
export const invitationRoutes = new Hono<AppEnv>()
  .post('/invitation', ready, async (c) => {
    const body = await bodyOf(c, previewBody);
    const invitation = await invitationOf(c, await hashLinkToken(body.token));
    return c.json({
      organization_name: invitation.organizationName,
      email: invitation.email,
      expires_at: new Date(invitation.expiresAt).toISOString(),
    });
  })
  .post('/accept-invitation', ready, async (c) => {
    const body = await bodyOf(c, acceptBody);
    const account = wantedAccount(body);
    const tokenHash = await hashLinkToken(body.token);
    const invitation = await invitationOf(c, tokenHash);
    const { userId, organizationId } = invitation;
    const by =
      account && !invitation.signsIn
        ? { name: account.name, passwordHash: await hashPassword(account.password) }
        : { sessionId: await sessionOf(c, invitation) };
    const audit = auditContextOf(c, { type: 'user', id: userId, accessKey: null });
    if (!(await acceptInvitation(c.get('identityDb'), audit, { tokenHash, userId, organizationId }, by))) {
      throw gone();
    }
    return c.json({ organization_id: organizationId, user_id: userId });
  });
