/**
 * The overhead of the control plane: each operation through the local stack, with authentication, validation and
 * audit trail, compared with a bare Hono handler that runs the same statements on a copy of the databases. The two
 * alternate.
 */

import { ensureSecrets } from '../stack/secrets.ts';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure } from './area.ts';
import { call, request } from './client.ts';
import { bytesOf, type Load, latencyOf, loadEach, loadOf, type Timing } from './load.ts';
import { type Scenario, type Scene, type Step, scenariosOf } from './operations.ts';
import { type Program, programOf, type Recorded, type Target } from './replay.ts';
import { startInPlace } from './worker.ts';

const REGION = 'fr-par';
const CONNECTIONS = [1, 16];
/** The number of targets of a step, and of the parts they are divided into. */
const PARTS = 4;
const TARGETS_OF_PART = 32;
const NONE: Record<Candidate, readonly string[]> = { api: [], bare: [] };
const PROJECTS = 16;

/** Measures the control plane. */
export const controlPlane: Area = {
  name: 'control-plane',
  async measure({ rounds, state, stack: start }) {
    const stack = await start();
    const scene = await setScene(stack, CONNECTIONS.length * (rounds + 1));
    const stories = scenariosOf(scene);
    const programs = await record(stack, state, stories);
    const bare = await startInPlace('statements', state, { PROGRAMS: JSON.stringify(programs) });
    let pass = 0;
    try {
      const figures: Figure[] = [];
      for (const story of stories) {
        pass = 0;
        for (const connections of CONNECTIONS) {
          const measured: Told[] = [];
          for (let round = -1; round < rounds; round++, pass++) {
            const told = await tell(story, {
              api: (step, targets) => sendToApi(stack, step, targets, pass, connections),
              bare: (step, targets) =>
                sendToBare(bare.origin, step, targets, story.within?.[pass], connections),
            });
            if (round >= 0) measured.push(told);
          }
          figures.push(...story.steps.map((step) => figureOf(step, connections, measured)));
        }
      }
      return figures;
    } finally {
      await bare.stop();
    }
  },
};

async function setScene(stack: Stack, passes: number): Promise<Scene> {
  const projectId = stack.owner?.project_id ?? '';
  await request(stack, REGION, 'POST', '/activate-sns', { project_id: projectId });
  const accounts: string[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const made = await call<{ id: string }>(stack, REGION, 'POST', '/nats-accounts', {
      project_id: projectId,
    });
    accounts.push(made.id);
  }
  const projects: string[] = [];
  for (let at = 0; at < PROJECTS; at++) {
    const response = await fetch(`${stack.origin}/account/v3/projects`, {
      method: 'POST',
      headers: headersOf(stack),
      body: JSON.stringify({ name: `measured ${at}` }),
    });
    projects.push(((await response.json()) as { id: string }).id);
  }
  return { projectId, accounts, projects };
}

const headersOf = ({ owner }: Stack) => ({
  'X-Auth-Token': owner?.secret_key ?? '',
  'Content-Type': 'application/json',
});

function requestOf(stack: Stack, origin: string, step: Step, target: string, pass: number): Request {
  const body = step.body?.(target, pass);
  return new Request(`${origin}/mnq/v1beta1/regions/${REGION}${step.path(target)}`, {
    method: step.method,
    headers: headersOf(stack),
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** Returns each operation's program, recorded with two targets in two passes on a copy of the databases. */
async function record(
  stack: Stack,
  state: string,
  stories: readonly Scenario[],
): Promise<Record<string, Program>> {
  const { worker: secrets } = await ensureSecrets(state, [...stack.engines.keys()]);
  const recorder = await startInPlace('recorder', state, secrets);
  const programs: Record<string, Program> = {};
  try {
    for (const { steps, targets, within } of stories) {
      let two = [targets?.[0] ?? '', targets?.[1] ?? ''] as const;
      for (const step of steps) {
        const one = await recordOne(requestOf(stack, recorder.origin, step, two[0], 0));
        const other = await recordOne(requestOf(stack, recorder.origin, step, two[1], 1));
        if (step.creates) two = [idOf(one.body), idOf(other.body)];
        programs[step.name] = programOf(
          [one.trips, other.trips],
          [targetOf(two[0], within?.[0]), targetOf(two[1], within?.[1])],
        );
      }
    }
    return programs;
  } finally {
    await recorder.stop();
  }
}

async function recordOne(request: Request): Promise<Recorded> {
  const recorded = (await (await fetch(request)).json()) as Recorded;
  if (recorded.status >= 300) throw new Error(`${request.url} returned ${recorded.status}: ${recorded.body}`);
  return recorded;
}

const targetOf = (id: string, within: string | undefined): Target =>
  within === undefined ? [id] : [id, within];

const idOf = (body: string) => (JSON.parse(body) as { id: string }).id;

type Sent = Timing & { made: string[] };
type Candidate = 'api' | 'bare';
type Send = (step: Step, targets: readonly string[]) => Promise<Sent>;

/** The result of each step, by name. */
type Told = Record<string, Record<Candidate, Load>>;

/** Runs a scenario once for both candidates, which alternate within each step, one part of its targets at a time. */
async function tell(
  { steps, targets: given, repeats }: Scenario,
  candidates: Record<Candidate, Send>,
): Promise<Told> {
  const timings = new Map(steps.map(({ name }) => [name, { api: [] as Timing[], bare: [] as Timing[] }]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    let parts = given ? [{ api: given, bare: given }] : Array.from({ length: PARTS }, () => NONE);
    for (const step of steps) {
      const next: typeof parts = [];
      for (const [at, part] of parts.entries()) {
        const sent = { ...part };
        for (const name of (at + repeat) % 2 === 0
          ? (['api', 'bare'] as const)
          : (['bare', 'api'] as const)) {
          const { made, ...timing } = await candidates[name](step, part[name]);
          timings.get(step.name)?.[name].push(timing);
          if (step.creates) sent[name] = made;
        }
        next.push(sent);
      }
      parts = next;
    }
  }
  return Object.fromEntries(
    [...timings].map(([name, { api, bare }]) => [name, { api: loadOf(api), bare: loadOf(bare) }]),
  );
}

async function sendToApi(
  stack: Stack,
  step: Step,
  targets: readonly string[],
  pass: number,
  connections: number,
): Promise<Sent> {
  const of = step.creates ? Array.from({ length: TARGETS_OF_PART }, () => '') : targets;
  const requests = of.map((target) => bytesOf(requestOf(stack, stack.origin, step, target, pass)));
  const { bodies, ...timing } = await loadEach(stack.origin, await Promise.all(requests), connections);
  return { ...timing, made: step.creates ? bodies.map(idOf) : [] };
}

async function sendToBare(
  origin: string,
  step: Step,
  targets: readonly string[],
  within: string | undefined,
  connections: number,
): Promise<Sent> {
  const of = step.creates ? Array.from({ length: TARGETS_OF_PART }, () => crypto.randomUUID()) : targets;
  const requests = of.map((id) => bytesOf(new Request(`${origin}/mnq/${step.name}/${targetOf(id, within)}`)));
  const timing = await loadEach(origin, await Promise.all(requests), connections);
  return { ...timing, made: [...of] };
}

function figureOf({ name, aim }: Step, connections: number, told: readonly Told[]): Figure {
  const all = (of: Candidate) => told.map((each) => each[name]?.[of] as Load);
  const [api, bare] = [all('api'), all('bare')];
  return {
    measure: `${name.replace('-', ' ')}, ${connections} at once`,
    unit: '/s',
    values: api.map(({ perSecond }) => perSecond),
    latency: latencyOf(api),
    baseline: {
      of: 'statements',
      values: bare.map(({ perSecond }) => perSecond),
      latency: latencyOf(bare),
    },
    aim,
  };
}
