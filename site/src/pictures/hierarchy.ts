/** The hierarchy: organization, project, region, account, credentials. */
import {
  card,
  type Drawing,
  type Picture,
  type Rectangle,
  type Shape,
  SIZE,
  text,
  WIDTHS,
  widthOf,
} from './drawing.ts';

/** Draws names on pills, one after another. */
function pills(x: number, y: number, names: readonly string[]): Shape[] {
  let left = x;
  return names.flatMap((name): Shape[] => {
    const width = widthOf(name, SIZE.small) + 18;
    const start = left;
    left += width + 6;
    return [
      { kind: 'box', x: start, y, width, height: 22, tone: 'strong', radius: 11 },
      text(start + width / 2, y + 15.5, name, { anchor: 'middle', tone: 'on-strong' }),
    ];
  });
}

/** Draws a product's resources in a region, with their credentials. */
function product(rectangle: Rectangle, title: string, detail: string, names: readonly string[]): Shape[] {
  return [
    ...card(rectangle, title, detail, { at: 'top' }),
    ...pills(rectangle.x + 9, rectangle.y + rectangle.height - 31, names),
  ];
}

/** Draws a region of a project with all three products. */
function region(frame: Rectangle, name: string): Shape[] {
  const inside = { x: frame.x + 10, width: frame.width - 20 };
  const row = (at: number) => ({ ...inside, y: frame.y + 32 + at * 88, height: 80 });
  return [
    ...card(frame, name, '', { tone: 'quiet', at: 'top' }),
    ...product(row(0), 'NATS account', 'subjects and streams', ['.creds', '.creds']),
    ...product(row(1), 'Queues', 'all queues of the project', ['access key', 'access key']),
    ...product(row(2), 'Topics and Events', 'all topics of the project', ['access key']),
  ];
}

const REGION_HEIGHT = 304;

function wide(): Drawing {
  const height = REGION_HEIGHT + 150;
  const people = { x: 12, width: 158 };
  const project = { x: 182, y: 36, width: 494, height: REGION_HEIGHT + 44 };
  const half = (project.width - 34) / 2;
  const each = (height - 48 - 30) / 4;
  const party = (at: number) => ({ ...people, y: 36 + at * (each + 10), height: each });
  return {
    width: WIDTHS.wide,
    height,
    shapes: [
      ...card({ x: 0, y: 0, width: WIDTHS.wide, height }, 'Organization', '', {
        tone: 'quiet',
        at: 'top',
        padding: 12,
      }),
      ...card(party(0), 'Members', 'people who sign in; Owners have full access'),
      ...card(party(1), 'Applications', 'programs'),
      ...card(party(2), 'API keys', 'of a member or an application'),
      ...card(party(3), 'Policies', 'which projects a member or an application can use'),
      ...card(project, 'Project', '', { at: 'top', padding: 12 }),
      ...region({ x: project.x + 12, y: project.y + 32, width: half, height: REGION_HEIGHT }, 'Region'),
      ...region(
        { x: project.x + 22 + half, y: project.y + 32, width: half, height: REGION_HEIGHT },
        'Region',
      ),
      ...card(
        { ...project, y: project.y + project.height + 10, height: 48 },
        'Project',
        'with its own resources in its own regions',
      ),
    ],
  };
}

function narrow(): Drawing {
  const project = { x: 10, y: 200, width: 323, height: REGION_HEIGHT + 100 };
  const height = project.y + project.height + 66;
  const half = (project.width - 10) / 2;
  const party = (at: number) => ({
    x: 10 + (at % 2) * (half + 10),
    y: 34 + Math.floor(at / 2) * 80,
    width: half,
    height: 72,
  });
  return {
    width: WIDTHS.narrow,
    height,
    shapes: [
      ...card({ x: 0, y: 0, width: WIDTHS.narrow, height }, 'Organization', '', {
        tone: 'quiet',
        at: 'top',
        padding: 12,
      }),
      ...card(party(0), 'Members', 'people who sign in; Owners have full access'),
      ...card(party(1), 'Applications', 'programs'),
      ...card(party(2), 'API keys', 'of a member or an application'),
      ...card(party(3), 'Policies', 'which projects a member or an application can use'),
      ...card(project, 'Project', '', { at: 'top', padding: 12 }),
      ...region({ x: 20, y: project.y + 32, width: 303, height: REGION_HEIGHT }, 'Region'),
      ...card(
        { x: 20, y: project.y + REGION_HEIGHT + 44, width: 303, height: 44 },
        'Region',
        'with its own accounts and credentials',
        { tone: 'quiet' },
      ),
      ...card(
        { x: 10, y: height - 56, width: 323, height: 46 },
        'Project',
        'with its own resources in its own regions',
      ),
    ],
  };
}

export const hierarchy: Picture = {
  name: 'hierarchy',
  title: 'Resource hierarchy',
  description:
    'An organization has members (people who sign in; Owners have full access), applications (programs), API keys of a member or an application, and policies that state which projects a member or an application can use. It also has projects. A project has resources in regions. In each region, it can have NATS accounts, each with subjects, streams and its own .creds files; Queues, with access keys for all queues of the project; and Topics and Events, with access keys for all topics of the project. Other projects and other regions have their own accounts, resources and credentials.',
  draw: (arrangement) => (arrangement === 'wide' ? wide() : narrow()),
};
