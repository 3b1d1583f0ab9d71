/** Agents of the mesh in memory, and conditions that must hold among them. */
import { expect } from 'vitest';
import type { Clock } from '../../../agent/clock/clock.ts';
import { Mesh } from '../../../agent/mesh/exchange/mesh.ts';
import type { RemoteFlow } from '../../../agent/mesh/members/model.ts';
import { announcedRate, decodeRate } from '../../../agent/mesh/wire/rate-code.ts';
import { type Delay, MemoryNetwork } from '../../../bench/simulation/memory-network.ts';
import type { MemoryTransport } from '../../../bench/simulation/memory-transport.ts';
import type { LeftOut } from '../../../proto/command.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { ManualClock, PausableTimers } from '../fakes/manual-clock.ts';

export const TOPOLOGY = '0123456789abcdef';
export const ENDPOINTS = 64;
const endpointNames = Array.from({ length: ENDPOINTS }, (_, number) => `n${number}.0`);

export interface Agent {
  readonly name: string;
  readonly mesh: Mesh;
  readonly transport: MemoryTransport;
  readonly timers: PausableTimers;
}

export class Lab {
  readonly clock = new ManualClock();
  readonly network: MemoryNetwork;
  readonly agents: Agent[] = [];
  #peers = 0;

  constructor(options: { seed?: number; loss?: number; delayMs?: Delay } = {}) {
    this.network = new MemoryNetwork({ clock: this.clock, seed: 1, ...options });
  }

  /** Starts an agent that knows the first one, and has endpoint `number`; `identity`: of one before. */
  async start(
    name: string,
    number: number,
    {
      topology = TOPOLOGY,
      clock = this.clock,
      identity = `peer-${this.#peers++}`,
      leftOut = () => [],
    }: { topology?: string; clock?: Clock; identity?: string; leftOut?: LeftOut } = {},
  ): Promise<Agent> {
    const transport = this.network.transport(identity);
    const timers = new PausableTimers(this.clock);
    const mesh = new Mesh({ transport, clock, timers }, { topology, endpointNames, host: name, leftOut });
    const agent = { name, mesh, transport, timers };
    await mesh.start();
    mesh.announceEndpoints([{ number, addresses: [`10.0.0.${number}`] }]);
    const first = this.agents.find(({ transport: { selfId } }) =>
      this.network.joins(transport.selfId, selfId),
    );
    if (first) await transport.connect(first.transport.addresses[0]!);
    this.agents.push(agent);
    return agent;
  }

  async startMany(count: number): Promise<Agent[]> {
    const agents: Agent[] = [];
    for (let number = 0; number < count; number++) agents.push(await this.start(`host-${number}`, number));
    return agents;
  }

  /** Kills an agent's process: it sends no more messages. */
  kill(agent: Agent): void {
    agent.transport.kill();
    agent.timers.pause();
    this.agents.splice(this.agents.indexOf(agent), 1);
  }
}

export const flow = (source: number, destination: number, rateBps: number, greedy = false) => ({
  source,
  destination,
  rateBps,
  greedy,
});
export const received = (source: number, destination: number, rateBps: number, greedy = false): RemoteFlow =>
  flow(source, destination, announcedRate(rateBps), greedy);
export const names = ({ mesh }: Agent): string[] => mesh.view.hosts().map(({ name }) => name);

/** What an agent should know of the others' flows, from what these know of their own. */
function flowsOfOthers(agents: readonly Agent[], me: Agent): RemoteFlow[] {
  return agents
    .filter((agent) => agent !== me)
    .flatMap(({ mesh }) => {
      const { flows } = mesh.view.own.toUpdate();
      return flows.sources.map((source, at) => ({
        source,
        destination: flows.destinations[at]!,
        state: flows.states[at]!,
      }));
    })
    .map(({ source, destination, state }) =>
      flow(source, destination, decodeRate(state >>> 1), (state & 1) === 1),
    )
    .sort((a, b) => a.source - b.source || a.destination - b.destination);
}

export function expectAgreement(agents: readonly Agent[]): void {
  const all = agents.map(({ name }) => name).sort();
  for (const agent of agents) {
    expect(names(agent)).toEqual(all);
    expect(agent.mesh.view.endpoints()).toEqual(agents[0]!.mesh.view.endpoints());
    expect(agent.mesh.view.remoteFlows()).toEqual(flowsOfOthers(agents, agent));
  }
}

/** Every agent changes some of its flows, `rounds` times, 50 ms apart. */
export async function churn(lab: Lab, rounds: number, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    for (const { mesh } of lab.agents) {
      const source = [...mesh.view.own.endpoints.keys()][0]!;
      const destination = (source + 1 + random.below(ENDPOINTS - 1)) % ENDPOINTS;
      const rate = random.next() < 0.3 ? 0 : random.next() * 1e9;
      mesh.announceFlows([flow(source, destination, rate, random.next() < 0.5)]);
    }
    await lab.clock.advance(50);
  }
}
