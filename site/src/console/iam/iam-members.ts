/** The element `<iam-members>`: lists members, invites people, and makes members Owners. */

import { iam, type Member } from '../../api/api.ts';
import { type PageQuery, sliceOf } from '../../api/request.ts';
import type { Row } from '../list/list-panel.ts';
import { type Context, OrganizationList } from '../list/organization-list.ts';

const actions = () => import('./iam-members.actions.ts');
type Actions = Awaited<ReturnType<typeof actions>>;

class IamMembers extends OrganizationList<Member> {
  protected readonly panel = 'members';

  protected read({ organization }: Context, page: PageQuery, init: RequestInit) {
    const query = { organization_id: organization.id, ...page };
    return sliceOf(
      () => iam.users.$get({ query }, { init }),
      (body) => body.users,
    );
  }

  protected describe(member: Member, { principal, organization }: Context): Row {
    const { id, email, first_name: name, type, status, deletable } = member;
    const pending = status === 'invitation_pending';
    const self = id === principal.id;
    const owns = organization.role === 'owner';
    return {
      id,
      name: name || email,
      sub: name && name !== email ? email : '',
      texts: { role: type === 'owner' ? 'Owner' : 'Member', state: stateOf(member, self) },
      times: { since: member.created_at },
      menu: {
        ...(owns && type === 'member' && !pending && { promote: this.#change(member, 'owner') }),
        ...(owns && type === 'owner' && deletable && { demote: this.#change(member, 'member') }),
        ...(pending && {
          invite: (button) => this.#invite(button, ({ inviteAgain }) => inviteAgain(this, member)),
        }),
        ...(deletable && {
          remove: (button) =>
            this.act(button, actions(), async ({ remove }) => {
              const notice = await remove(this, member);
              if (notice) await this.done(notice);
            }),
        }),
      },
    };
  }

  protected create({ organization }: Context, button: HTMLElement): Promise<void> {
    return this.#invite(button, ({ invite }) => invite(this, organization.id));
  }

  #invite(
    button: HTMLElement,
    send: (actions: Actions) => ReturnType<Actions['invite' | 'inviteAgain']>,
  ): Promise<void> {
    return this.act(button, actions(), async (loaded) => {
      const invited = await send(loaded);
      if (!invited) return;
      if ('text' in invited) return this.list.announce(invited);
      const notice = await loaded.showInvitation(this, invited);
      await this.load();
      this.list.announceNew(notice, invited.id);
    });
  }

  #change(member: Member, type: Member['type']): (button: HTMLElement) => Promise<void> {
    return (button) =>
      this.act(button, actions(), async ({ setRole }) => {
        const notice = await setRole(this, member, type);
        if (notice) await this.done(notice, member.id);
      });
  }
}

function stateOf({ status, invitation_expires_at: until }: Member, self: boolean): string {
  if (status === 'activated') return self ? 'Joined (you)' : 'Joined';
  return until && Date.parse(until) > Date.now() ? 'Invited' : 'Invited (link expired)';
}

customElements.define('iam-members', IamMembers);
