/** The element `<iam-members>`: lists the members of the organization, invites, and changes who is an Owner. */
import { iam, type Member } from '../../lib/api.ts';
import { type Context, listing, OrganizationList } from './organization-list.ts';
import type { Row } from './resource-list.ts';

const actions = () => import('./members-actions.ts');
type Actions = Awaited<ReturnType<typeof actions>>;

class IamMembers extends OrganizationList<Member> {
  protected readonly panel = 'members';

  protected read({ organization }: Context, page: number) {
    const query = { organization_id: organization.id, page: `${page}`, page_size: '50' };
    return listing(
      this.latest.ask((init) => iam.users.$get({ query }, { init })),
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
        ...(pending && { invite: () => this.#invite(({ inviteAgain }) => inviteAgain(this, member)) }),
        ...(deletable && {
          remove: () =>
            this.act(actions(), async ({ remove }) => {
              const notice = await remove(this, member);
              if (notice) await this.done(notice);
            }),
        }),
      },
    };
  }

  protected create({ organization }: Context): Promise<void> {
    return this.#invite(({ invite }) => invite(this, organization.id));
  }

  #invite(send: (actions: Actions) => ReturnType<Actions['invite']>): Promise<void> {
    return this.act(actions(), async (loaded) => {
      const invited = await send(loaded);
      if (typeof invited === 'string') return this.list.announce(invited);
      if (!invited) return;
      const reload = this.load();
      const notice = await loaded.told(this, invited);
      await reload;
      this.list.announceNew(notice, invited.id);
    });
  }

  #change(member: Member, type: Member['type']): () => Promise<void> {
    return () =>
      this.act(actions(), async ({ setRole }) => {
        const notice = await setRole(this, member, type);
        if (notice) await this.done(notice, member.id);
      });
  }
}

function stateOf({ status, invitation_expires_at: until }: Member, self: boolean): string {
  if (status === 'activated') return self ? 'Joined, this is you' : 'Joined';
  return until && Date.parse(until) > Date.now() ? 'Invited' : 'Invited, the link has expired';
}

customElements.define('iam-members', IamMembers);
