/** The states of credentials, from creation to deletion. */
import {
  type Arrangement,
  arrow,
  card,
  type Drawing,
  type Picture,
  type Point,
  type Rectangle,
  WIDTHS,
} from './drawing.ts';

interface Layout {
  height: number;
  created: Rectangle;
  shown: Rectangle;
  used: Rectangle;
  updated: Rectangle;
  revoked: Rectangle;
  expired: Rectangle;
  arrows: Record<'toShown' | 'toUsed' | 'update' | 'toRevoked' | 'toExpired', Point[]>;
}

const LAYOUTS: Record<Arrangement, Layout> = {
  wide: {
    height: 226,
    created: { x: 0, y: 0, width: 128, height: 112 },
    shown: { x: 154, y: 0, width: 144, height: 112 },
    used: { x: 324, y: 0, width: 144, height: 112 },
    updated: { x: 324, y: 148, width: 144, height: 76 },
    revoked: { x: 504, y: 0, width: 184, height: 134 },
    expired: { x: 504, y: 148, width: 184, height: 76 },
    arrows: {
      toShown: [
        [128, 56],
        [154, 56],
      ],
      toUsed: [
        [298, 56],
        [324, 56],
      ],
      update: [
        [396, 112],
        [396, 148],
      ],
      toRevoked: [
        [468, 56],
        [504, 56],
      ],
      toExpired: [
        [468, 88],
        [486, 88],
        [486, 186],
        [504, 186],
      ],
    },
  },
  narrow: {
    height: 458,
    created: { x: 0, y: 0, width: 343, height: 56 },
    shown: { x: 0, y: 78, width: 343, height: 56 },
    used: { x: 0, y: 156, width: 164, height: 112 },
    updated: { x: 196, y: 156, width: 147, height: 112 },
    revoked: { x: 0, y: 296, width: 164, height: 160 },
    expired: { x: 179, y: 296, width: 164, height: 160 },
    arrows: {
      toShown: [
        [82, 56],
        [82, 78],
      ],
      toUsed: [
        [82, 134],
        [82, 156],
      ],
      update: [
        [164, 212],
        [196, 212],
      ],
      toRevoked: [
        [82, 268],
        [82, 296],
      ],
      toExpired: [
        [140, 268],
        [140, 282],
        [261, 282],
        [261, 296],
      ],
    },
  },
};

function draw(arrangement: Arrangement): Drawing {
  const { height, created, shown, used, updated, revoked, expired, arrows } = LAYOUTS[arrangement];
  return {
    width: WIDTHS[arrangement],
    height,
    shapes: [
      arrow(arrows.toShown),
      arrow(arrows.toUsed),
      arrow(arrows.update, { head: 'both' }),
      arrow(arrows.toRevoked, { tone: 'danger' }),
      arrow(arrows.toExpired, { tone: 'danger' }),
      ...card(created, 'Created', 'in a guide, in the console or with the API'),
      ...card(shown, 'Secret shown once', 'in that response; save it before you close the dialog', {
        tone: 'strong',
      }),
      ...card(used, 'In use', 'Latchkey records when they were last used', { tone: 'done' }),
      ...card(updated, 'Updated', 'name and permissions; Queues, Topics and Events only'),
      ...card(
        revoked,
        'Revoked',
        'cannot be undone\nNATS: pending until every server has confirmed; a lease limits that time\nQueues, Topics and Events: from the next request; a lease limits a delay',
        { tone: 'danger' },
      ),
      ...card(
        expired,
        'Expired',
        'NATS only, if the deployment sets a validity; servers disconnect the clients',
        {
          tone: 'danger',
        },
      ),
    ],
  };
}

export const credentialLife: Picture = {
  name: 'credential-life',
  title: 'The life of credentials',
  description:
    'Credentials are created in a guide, in the console or with the API. The secret is shown once, in that response. While they are in use, Latchkey records when they were last used. For Queues and for Topics and Events, name and permissions can be updated any number of times. Credentials end when they are revoked, which cannot be undone. For NATS, a revocation is pending until every server has confirmed, and a lease, if one is set, limits that time. For Queues and for Topics and Events, it holds from the next request; if its guard cannot be reached, a lease limits the delay. NATS credentials also end when they have expired, if the deployment sets a validity; the servers then disconnect the clients.',
  draw,
};
