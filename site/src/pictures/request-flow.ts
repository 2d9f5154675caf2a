/** How requests reach the Worker, the databases and the messaging servers. */
import {
  type Arrangement,
  arrow,
  card,
  type Drawing,
  type Picture,
  type Rectangle,
  text,
  WIDTHS,
} from './drawing.ts';

type Row = [y: number, height: number];

/** Positions of columns (x and width) and rows (y and height), and lengths of arrows. */
interface Layout {
  height: number;
  callers: [x: number, width: number];
  worker: Rectangle;
  /** Inside the Worker's frame. */
  inside: [x: number, width: number];
  region: Rectangle;
  stores: [x: number, width: number];
  rows: Record<
    | 'browser'
    | 'programs'
    | 'queueClients'
    | 'natsClients'
    | 'pages'
    | 'api'
    | 'gateway'
    | 'jwts'
    | 'identity'
    | 'database'
    | 'engine'
    | 'servers',
    Row
  >;
  arrows: Record<
    | 'pages'
    | 'browserApi'
    | 'programsApi'
    | 'gateway'
    | 'identity'
    | 'apiDatabase'
    | 'gatewayDatabase'
    | 'engine'
    | 'push'
    | 'fetch'
    | 'direct',
    number
  >;
}

const LAYOUTS: Record<Arrangement, Layout> = {
  wide: {
    height: 466,
    callers: [0, 158],
    worker: { x: 212, y: 0, width: 222, height: 400 },
    inside: [224, 198],
    region: { x: 490, y: 122, width: 192, height: 338 },
    stores: [502, 168],
    rows: {
      browser: [34, 74],
      programs: [120, 54],
      queueClients: [214, 66],
      natsClients: [402, 46],
      pages: [34, 40],
      api: [84, 106],
      gateway: [200, 86],
      jwts: [296, 94],
      identity: [54, 56],
      database: [152, 72],
      engine: [234, 56],
      servers: [300, 150],
    },
    arrows: {
      pages: 54,
      browserApi: 97,
      programsApi: 147,
      gateway: 246,
      identity: 97,
      apiDatabase: 171,
      gatewayDatabase: 212,
      engine: 262,
      push: 324,
      fetch: 354,
      direct: 425,
    },
  },
  narrow: {
    height: 572,
    callers: [0, 82],
    worker: { x: 97, y: 0, width: 126, height: 472 },
    inside: [102, 116],
    region: { x: 238, y: 148, width: 101, height: 418 },
    stores: [242, 93],
    rows: {
      browser: [34, 92],
      programs: [138, 66],
      queueClients: [222, 96],
      natsClients: [482, 76],
      pages: [34, 40],
      api: [84, 124],
      gateway: [218, 108],
      jwts: [336, 126],
      identity: [46, 90],
      database: [176, 94],
      engine: [280, 76],
      servers: [368, 190],
    },
    arrows: {
      pages: 54,
      browserApi: 108,
      programsApi: 171,
      gateway: 270,
      identity: 108,
      apiDatabase: 194,
      gatewayDatabase: 240,
      engine: 304,
      push: 398,
      fetch: 434,
      direct: 520,
    },
  },
};

function draw(arrangement: Arrangement): Drawing {
  const { height, callers, worker, inside, region, stores, rows, arrows } = LAYOUTS[arrangement];
  const padding = arrangement === 'wide' ? 10 : 5;
  const at = ([x, width]: [number, number], [y, tall]: Row): Rectangle => ({ x, y, width, height: tall });
  const place = (column: [number, number], row: Row, title: string, detail: string, own = {}) =>
    card(at(column, row), title, detail, { padding, ...own });
  const callersEnd = callers[0] + callers[1];
  const insideEnd = inside[0] + inside[1];
  const toWorker = (y: number) =>
    arrow([
      [callersEnd, y],
      [inside[0], y],
    ]);
  const toStores = (y: number) =>
    arrow([
      [insideEnd, y],
      [stores[0], y],
    ]);
  return {
    width: WIDTHS[arrangement],
    height,
    shapes: [
      { kind: 'box', ...worker, tone: 'quiet', radius: 10 },
      text(
        worker.x + worker.width / 2,
        21,
        arrangement === 'wide' ? 'One Worker, one address' : 'One Worker',
        {
          bold: true,
          anchor: 'middle',
          tone: 'title',
        },
      ),
      { kind: 'box', ...region, x: region.x + 4, y: region.y + 4, tone: 'quiet', radius: 10 },
      { kind: 'box', ...region, tone: 'quiet', radius: 10 },
      text(region.x + region.width / 2, region.y + 20, 'Each region', {
        bold: true,
        anchor: 'middle',
        tone: 'title',
      }),
      toWorker(arrows.pages),
      toWorker(arrows.browserApi),
      toWorker(arrows.programsApi),
      toWorker(arrows.gateway),
      toStores(arrows.identity),
      toStores(arrows.apiDatabase),
      toStores(arrows.gatewayDatabase),
      toStores(arrows.engine),
      toStores(arrows.push),
      arrow([
        [stores[0], arrows.fetch],
        [insideEnd, arrows.fetch],
      ]),
      arrow(
        [
          [callersEnd, arrows.direct],
          [stores[0], arrows.direct],
        ],
        { tone: 'strong' },
      ),
      ...place(callers, rows.browser, 'Browser', 'guides and console, with a session'),
      ...place(callers, rows.programs, 'Programs', 'with an API key'),
      ...place(callers, rows.queueClients, 'Queue and topic clients', 'with an access key'),
      ...place(callers, rows.natsClients, 'NATS clients', 'with a .creds file', { tone: 'plain' }),
      ...place(inside, rows.pages, 'Static pages', ''),
      ...place(
        inside,
        rows.api,
        'API',
        'checks the caller’s permissions, writes each change with its audit record',
      ),
      ...place(
        inside,
        rows.gateway,
        'Gateway',
        'checks signature, asks the key’s guard, then signs for the engine',
      ),
      ...place(
        inside,
        rows.jwts,
        'NATS account JWTs',
        'from the region database; pushed on each change, served on request',
      ),
      ...place(stores, rows.identity, 'Identity database', 'people, API keys, policies'),
      ...place(stores, rows.database, 'Region database', 'accounts, credentials, audit records'),
      ...place(stores, rows.engine, 'Queue engine', 'queues and topics'),
      ...place(stores, rows.servers, 'nats-servers', 'subjects and streams'),
    ],
  };
}

export const requestFlow: Picture = {
  name: 'request-flow',
  title: 'How requests flow',
  description:
    'One Worker at one address has static pages, the API, the gateway and the NATS account JWTs. A browser, with the guides and the console, loads static pages and calls the API with a session. Programs call the API with an API key. The API checks the caller’s permissions and writes each change with its audit record. It uses the identity database, which has people, API keys and policies, and the region database, which has accounts, credentials and audit records. Queue and topic clients send requests, signed with an access key, to the gateway. The gateway checks the signature and asks the guard of the access key, which keeps the credentials from the region database in memory, whether the request is permitted. It then signs the request for the queue engine, which has the queues and topics. NATS clients connect with a .creds file directly to the nats-servers, which have the subjects and streams. NATS account JWTs are built from the region database, pushed to the nats-servers on each change, and served on request. Each region has its own database, queue engine and nats-servers.',
  caption:
    'NATS clients connect directly to the servers. Every other request goes through the Worker. A request in one region needs no other region.',
  draw,
};
