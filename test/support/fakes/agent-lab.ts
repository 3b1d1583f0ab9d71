/** Whole agents on a manual clock: everything in them is real but the kernel, the network and the applications. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, composeAgent } from '../../../agent/daemon/compose.ts';
import { openDoor } from '../../../agent/daemon/door.ts';
import { Mesh } from '../../../agent/mesh/exchange/mesh.ts';
import { Admission } from '../../../agent/mesh/trust/admission.ts';
import { CommandGuard } from '../../../agent/mesh/trust/command-guard.ts';
import { commandScope } from '../../../agent/mesh/trust/command-signature.ts';
import { type SigningKey, signingKeyOf } from '../../../agent/mesh/trust/peer-id.ts';
import { MemoryNetwork } from '../../../bench/simulation/memory-network.ts';
import { type Bootstrap, topologyHash } from '../../../proto/bootstrap.ts';
import { FakeKernel } from './fake-kernel.ts';
import { FakeProbes } from './fake-probes.ts';
import { FakeProcesses } from './fake-processes.ts';
import { ManualClock } from './manual-clock.ts';

export interface LabAgent extends Agent {
  readonly host: string;
  readonly kernel: FakeKernel;
  readonly processes: FakeProcesses;
  readonly probes: FakeProbes;
  readonly door: ReturnType<typeof openDoor>;
  /** Takes it out of the mesh without a word, as SIGKILL does. */
  readonly kill: () => void;
  /** The warnings and errors that it has logged. */
  readonly complaints: string[];
}

/** Of an agent or a user, always the same for a name. */
export const keyOf = (name: string): SigningKey => signingKeyOf(createHash('sha256').update(name).digest());

export type LabEndpoint = Bootstrap['endpoints'][number];

export function endpoint(number: number, name: string, address: string, namespace = name): LabEndpoint {
  return {
    number,
    name,
    namespace: `/run/netns/${namespace}`,
    ifname: 'eth0',
    ifindex: 2,
    addresses: [address],
  };
}

export class AgentLab {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork({ clock: this.clock, seed: 1 });
  readonly agents: LabAgent[] = [];
  readonly #text: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'netfold-agents-'));

  /** `text`: a topology. */
  constructor(text: string) {
    this.#text = text;
  }

  async start(
    host: string,
    endpoints: readonly LabEndpoint[],
    changes: Partial<Bootstrap> = {},
  ): Promise<LabAgent> {
    const agent = await this.compose(host, endpoints, changes);
    await agent.lifecycle.start();
    return agent;
  }

  async compose(
    host: string,
    endpoints: readonly LabEndpoint[],
    changes: Partial<Bootstrap> = {},
  ): Promise<LabAgent> {
    const { clock, network } = this;
    const bootstrap = this.#bootstrap(host, endpoints, changes);
    const kernel = new FakeKernel(() => clock.now());
    const processes = new FakeProcesses();
    const probes = new FakeProbes();
    const complaints: string[] = [];
    let kill = (): void => {};
    const agent = await composeAgent(bootstrap, {
      ...{ clock, timers: clock, processor: { usedMs: () => clock.now() }, processes, probes },
      log: {
        info: () => {},
        warn: (_, text) => complaints.push(text),
        error: ({ message }) => complaints.push(message),
      },
      openKernel: () => kernel,
      openDoors: () => ({ set: () => {}, stop: () => {} }),
      openNames: () => ({
        ...{ attach: async () => {}, detach: async () => {}, stop: async () => {} },
        ...{ setKnown: () => {}, setGraph: () => {} },
      }),
      openMesh: async ({ endpointNames, lanes, log, time, lacking, leftOut }) => {
        const { commands, allow } = bootstrap.mesh;
        const key = keyOf(host);
        const identity = commands ? key.peer : `peer-${host}`;
        const transport = network.transport(identity);
        kill = () => transport.kill();
        const admission = new Admission({ allow }, endpointNames);
        const hostOf = (peer: string) => admission.hostOf(peer);
        const scope = commands && commandScope(bootstrap.topology.hash, commands);
        const guard =
          scope === undefined ? undefined : new CommandGuard({ ...commands!, scope, hostOf, lacking, key });
        const topology = bootstrap.topology.hash.slice(0, 16);
        const options = { topology, endpointNames, lanes, host, admission, guard, leftOut };
        const mesh = new Mesh({ transport, clock, timers: clock, log, time }, options);
        return { transport, mesh, guard };
      },
    });
    const door = openDoor(agent, () => void agent.lifecycle.stop());
    const whole = { ...agent, host, kernel, processes, probes, door, complaints, kill: () => kill() };
    this.agents.push(whole);
    return whole;
  }

  #bootstrap(host: string, endpoints: readonly LabEndpoint[], changes: Partial<Bootstrap>): Bootstrap {
    const topology = { file: 'test.yaml', text: this.#text, hash: topologyHash({ text: this.#text }) };
    const peers = this.agents.map(({ parts }) => parts.transport.addresses[0]!);
    return {
      ...{ experiment: 'test', host, topology, endpoints: [...endpoints] },
      mesh: { listen: [], peers },
      ...{ tickMs: 50, delayBackend: 'auto', seed: 1, logFolder: this.#folder },
      ...changes,
    };
  }

  /** Starts the experiment at the instant `inMs` from now, as the controller does. */
  runAll(inMs: number): void {
    for (const { lifecycle } of this.agents) lifecycle.run(this.clock.wallNow() + inMs);
  }

  async stop(): Promise<void> {
    for (const { lifecycle } of this.agents) if (lifecycle.state !== 'stopping') await lifecycle.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
