/**
 * Whether agents take the mesh to be the same, and to be what it is. Pure. Agents are asked one after the other while flows
 * and epochs change, so what differs may be under way: `Sticking` tells what stays.
 */
import type { AgentView, ViewEndpoint, ViewFlow, ViewMember, ViewShare } from '../../proto/view.ts';

export interface Truth {
  readonly hosts: readonly string[];
  /** In the order of the topology. */
  readonly endpoints: readonly ViewEndpoint[];
  readonly commands: number;
  /** What one that sees all `flows` computes for `epoch`, of flows from all hosts; `undefined`: it is not in it. */
  readonly sharesOfAll: (flows: readonly ViewFlow[], epoch: number) => readonly ViewShare[] | undefined;
}

/** One line for each thing that is not as it is, or that agents take for different things. */
export interface Disagreement {
  /** Who is here, with what, and how: it is the same for as long as no fault happens. */
  readonly lasting: readonly string[];
  /** What changes all the time. */
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
    ...differences(`members of ${view.host}`, view.members, members),
    ...differences(`endpoints of ${view.host}`, view.endpoints, truth.endpoints),
  ]);
  return { lasting, fleeting: lasting.length > 0 ? [] : fleetingOf(heard, truth) };
}

/** By what each says of itself. */
function membersOf(views: readonly AgentView[]): ViewMember[] {
  return views.flatMap(({ host, members }) => members.filter(({ name }) => name === host));
}

function fleetingOf(views: readonly AgentView[], truth: Truth): string[] {
  const told = toldFlows(views);
  const latest = Math.max(...views.map(({ epoch }) => epoch));
  return views.flatMap((view) => [
    ...(view.commands.count === truth.commands
      ? []
      : [`${view.host} has ${view.commands.count} of ${truth.commands} commands`]),
    ...differences(`commands of ${view.host}`, [view.commands], [views[0]!.commands]),
    ...differences(`epoch of ${view.host}`, [view.epoch], [latest]),
    ...differences(`flows of ${view.host}`, view.flows, told),
    ...wrongShares(view, truth),
  ]);
}

/** By what each says of its own endpoints. */
function toldFlows(views: readonly AgentView[]): ViewFlow[] {
  const hostOf = new Map(views[0]!.endpoints.map(({ name, host }) => [name, host]));
  return views.flatMap(({ host, flows }) => flows.filter(({ from }) => hostOf.get(from) === host));
}

/** From the flows that it knows at the same instant: whether these are all is another question. */
function wrongShares({ host, epoch, flows, shares, endpoints }: AgentView, truth: Truth): string[] {
  const known = new Set(flows.map(({ from, to }) => `${from} ${to}`));
  // Flows that are not worth telling: their own host keeps what they could take.
  const idle = shares
    .filter(({ from, to, rateBps }) => rateBps === 0 && !known.has(`${from} ${to}`))
    .map(({ from, to }) => ({ from, to, rateBps: 0, greedy: false }));
  const all = truth.sharesOfAll([...flows, ...idle], epoch);
  if (all === undefined) return [`nobody but ${host} is in epoch ${epoch}`];
  const own = new Set(endpoints.filter((endpoint) => endpoint.host === host).map(({ name }) => name));
  return differences(
    `shares of ${host}`,
    shares,
    all.filter(({ from }) => own.has(from)),
  );
}

/** A line for each element that is too many (`+`), and for each that is missing (`-`). */
export function differences(what: string, has: readonly unknown[], should: readonly unknown[]): string[] {
  const left = should.map((one) => JSON.stringify(one));
  const extra = has
    .map((one) => JSON.stringify(one))
    .filter((text) => {
      const at = left.indexOf(text);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  return [...extra.map((text) => `${what}: +${text}`), ...left.map((text) => `${what}: -${text}`)];
}

/** What is wrong in the same way for so long is not under way: ten times what news takes to all hosts. */
export const STICKS_MS = 250;
/** On a machine that is busy, a look takes long. */
export const STICKS_LOOKS = 3;

/** Which lines are there look by look. */
export class Sticking {
  #since = new Map<string, { readonly at: number; readonly looks: number }>();

  /** Takes the lines of a look at `now`; gives those that have been there for a while without a break. */
  look(lines: readonly string[], now: number): string[] {
    const before = this.#since;
    this.#since = new Map(
      lines.map((line) => {
        const { at, looks } = before.get(line) ?? { at: now, looks: 0 };
        return [line, { at, looks: looks + 1 }];
      }),
    );
    return [...this.#since]
      .filter(([, { at, looks }]) => now - at >= STICKS_MS && looks >= STICKS_LOOKS)
      .map(([line]) => line);
  }
}
