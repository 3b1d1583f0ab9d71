/** Whether agents take the mesh to be the same, and to be what it is. Pure. */
import type { AgentView, ViewEndpoint, ViewFlow, ViewMember, ViewShare } from '../../proto/view.ts';

/** What one that sees everything says: `undefined` for an epoch in which it isn't. */
export type Overseer = (
  flows: readonly ViewFlow[],
  at: { readonly now: number; readonly epoch: number },
) => ReadonlyMap<string, readonly ViewShare[]> | undefined;

export interface Truth {
  readonly hosts: readonly string[];
  /** In the order of the topology. */
  readonly endpoints: readonly ViewEndpoint[];
  readonly commands: number;
  readonly sharesOfAll: Overseer;
}

/** One line for each thing that is not as it is, or that agents take for different things. */
export interface Disagreement {
  /** Who is here, with what, and how: it is the same for as long as no fault happens. */
  readonly lasting: readonly string[];
  /** What changes all the time, and may be under way from one agent to another. */
  readonly fleeting: readonly string[];
}

/** `views`: of each of `hosts`, in their order, taken at about the same time; `undefined` where one doesn't answer. */
export function findDisagreement(views: readonly (AgentView | undefined)[], truth: Truth): Disagreement {
  const silent = truth.hosts.filter((_, index) => views[index] === undefined);
  const heard = views.filter((view) => view !== undefined);
  if (silent.length > 0) return { lasting: silent.map((host) => `${host} doesn't answer`), fleeting: [] };
  const members = membersOf(heard);
  const lasting = heard.flatMap((view) => [
    ...(view.state === 'running' ? [] : [`${view.host} is ${view.state}`]),
    ...(view.shaped ? [] : [`${view.host} has not shaped everything`]),
    ...view.degraded.map((what) => `${view.host}: ${what}`),
    ...difference(view.host, 'members', view.members, members),
    ...difference(view.host, 'endpoints', view.endpoints, truth.endpoints),
  ]);
  return { lasting, fleeting: lasting.length > 0 ? [] : fleetingOf(heard, truth) };
}

/** By what each says of itself. */
function membersOf(views: readonly AgentView[]): ViewMember[] {
  return views.flatMap(({ host, members }) => members.filter(({ name }) => name === host));
}

function fleetingOf(views: readonly AgentView[], truth: Truth): string[] {
  const [first] = views as [AgentView, ...AgentView[]];
  const flows = flowsOf(views);
  const wrong = views.flatMap((view) => [
    ...(view.commands.count === truth.commands ? [] : [`${view.host} has ${view.commands.count} commands`]),
    ...difference(view.host, 'commands', [view.commands], [first.commands]),
    ...difference(view.host, 'epoch', [view.epoch], [first.epoch]),
    ...difference(view.host, 'flows', view.flows, flows),
  ]);
  if (wrong.length > 0) return wrong;
  const now = Math.max(...views.map((view) => view.now ?? Number.NEGATIVE_INFINITY));
  const shares = truth.sharesOfAll([...flows, ...idleFlows(views, flows)], { now, epoch: first.epoch });
  if (shares === undefined) return [`nobody else is in epoch ${first.epoch}`];
  return views.flatMap((view) => difference(view.host, 'shares', view.shares, shares.get(view.host) ?? []));
}

/** By what each says of its own endpoints. */
function flowsOf(views: readonly AgentView[]): ViewFlow[] {
  const hostOf = new Map(views[0]!.endpoints.map(({ name, host }) => [name, host]));
  const order = new Map([...hostOf.keys()].map((name, index) => [name, index]));
  const placeOf = ({ from, to }: ViewFlow): number => order.get(from)! * order.size + order.get(to)!;
  return views
    .flatMap(({ host, flows }) => flows.filter(({ from }) => hostOf.get(from) === host))
    .sort((a, b) => placeOf(a) - placeOf(b));
}

/** Flows that are not worth telling: their own host keeps what they could take. */
function idleFlows(views: readonly AgentView[], flows: readonly ViewFlow[]): ViewFlow[] {
  const told = new Set(flows.map(({ from, to }) => `${from} ${to}`));
  return views
    .flatMap(({ shares }) => shares)
    .filter(({ from, to, rateBps }) => rateBps === 0 && !told.has(`${from} ${to}`))
    .map(({ from, to }) => ({ from, to, rateBps: 0, greedy: false }));
}

function difference(
  host: string,
  what: string,
  has: readonly unknown[],
  should: readonly unknown[],
): string[] {
  const texts = new Set(should.map((one) => JSON.stringify(one)));
  const own = has.map((one) => JSON.stringify(one));
  const extra = own.filter((text) => !texts.has(text));
  const missing = [...texts].filter((text) => !own.includes(text));
  if (extra.length + missing.length === 0 && own.length === texts.size) return [];
  return [
    `${what} of ${host}: ${[...extra.map((text) => `+${text}`), ...missing.map((text) => `-${text}`)].join(' ')}`,
  ];
}
