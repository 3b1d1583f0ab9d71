/** Experiments for the API without a machine: real agents on a manual clock, asked without sockets. */
import { Readable } from 'node:stream';
import type { Experiments, Inside } from '../../../controller/api/ports.ts';
import { ControllerError } from '../../../controller/errors.ts';
import type { ExperimentState } from '../../../controller/experiment/state.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import { runLogQuerySchema } from '../../../proto/run-log.ts';
import { loadTopology } from '../../../topology/load.ts';
import { AgentLab, endpoint, type LabAgent } from './agent-lab.ts';

const TOPOLOGY = `
services: { client: { replicas: 2 }, server: { run: "serve" } }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 5ms, up: 20Mbps, down: 10Mbps }
  - { from: s1, to: server, latency: 10ms, jitter: 1ms }
events:
  - at 1h set s1--server latency=20ms
`;
/** Endpoints of each host. */
const PLACES = {
  host0: [endpoint(0, 'client.0', '10.0.0.1'), endpoint(1, 'client.1', '10.0.0.2')],
  host1: [endpoint(2, 'server.0', '10.0.0.3')],
};

export const NAME = 'fake';

export class FakeExperiments implements Experiments {
  readonly lab = new AgentLab(TOPOLOGY);
  readonly agents = new Map<string, LabAgent>();
  /** Hosts whose agents do not answer. */
  readonly silent = new Set<string>();
  readonly started: string[] = [];
  isRemoved = false;
  /** Whether logs are waited for, on a clock that somebody has to move. */
  waits = true;

  /** Two agents that have begun. */
  static async open(): Promise<FakeExperiments> {
    const fake = new FakeExperiments();
    for (const [host, endpoints] of Object.entries(PLACES))
      fake.agents.set(host, await fake.lab.start(host, endpoints));
    await fake.lab.clock.advance(3000);
    fake.lab.runAll(0);
    await fake.lab.clock.advance(1000);
    return fake;
  }

  close(): Promise<void> {
    return this.lab.stop();
  }

  async list() {
    const { name, topologyFile, startedAt, platform, hosts, endpoints } = STATE;
    const counts = { hosts: hosts.length, endpoints: endpoints.length };
    return this.isRemoved ? [] : [{ name, topologyFile, startedAt, platform, ...counts }];
  }

  async state(name: string): Promise<ExperimentState> {
    if (name === NAME && !this.isRemoved) return STATE;
    throw new ControllerError(
      'EXPERIMENT_UNKNOWN',
      `there is no experiment "${name}"`,
      `running are: ${NAME}`,
    );
  }

  async ask(_: string, host: string, path: string): Promise<unknown> {
    const door = this.agents.get(host)?.door;
    if (!door || this.silent.has(host))
      throw new NetfoldError({ code: 'UNREACHABLE', blame: 'machine', message: `${host} is silent` });
    const { pathname, searchParams } = new URL(path, 'http://agent');
    const query = () => runLogQuerySchema.parse(Object.fromEntries(searchParams));
    const answers: Record<string, () => unknown> = {
      '/status': () => door.status(),
      '/flows': () => door.flows(),
      '/view': () => door.view(),
      '/graph': () => door.graph(),
      '/bootstrap': () => door.bootstrap(),
      '/verdict': () => door.verdict(),
      '/samples': () => door.metrics(),
      '/control': () => door.commands(),
      '/log': () => door.log({ ...query(), ...(!this.waits && { waitMs: 0 }) }),
    };
    // As it comes over the socket.
    return JSON.parse(JSON.stringify(await answers[pathname]!()));
  }

  async command(_: string, host: string | undefined, request: Parameters<Experiments['command']>[2]) {
    return this.agents.get(host ?? 'host0')!.door.control(request);
  }

  async start(
    { topology, file, script, name }: Parameters<Experiments['start']>[0],
    _tell?: Parameters<Experiments['start']>[1],
  ): ReturnType<Experiments['start']> {
    const loaded = loadTopology(
      topology,
      file,
      script === undefined ? undefined : { file: 'script', text: script },
    );
    if (name === NAME)
      throw new ControllerError('EXPERIMENT_EXISTS', `there is ${NAME} already`, 'choose another name');
    this.started.push(name ?? loaded.topology.name);
    return { name: name ?? loaded.topology.name, warnings: [] };
  }

  async tool(...[tool, { words, files }]: Parameters<Experiments['tool']>): ReturnType<Experiments['tool']> {
    const ended = { code: 0, stdout: [tool, ...words].join(' '), stderr: '' };
    return { ...ended, truncated: false, timedOut: false, files };
  }

  async askHosts(
    ...[action, { inventory, name }]: Parameters<Experiments['askHosts']>
  ): ReturnType<Experiments['askHosts']> {
    const nothing = { state: null, endpoints: [], problems: [], errors: [] };
    return {
      ...{ experiment: name ?? null, ok: true },
      hosts: [{ host: inventory.trim().slice(0, 20), ok: true, result: action, ...nothing }],
    };
  }

  async hostLogs({ of }: Parameters<Experiments['hostLogs']>[0]): ReturnType<Experiments['hostLogs']> {
    return { text: `${of.join(' ')}: said\n`, truncated: false, errors: [] };
  }

  async hostExec({
    on,
    command,
    stdin,
  }: Parameters<Experiments['hostExec']>[0]): ReturnType<Experiments['hostExec']> {
    const stdout = `${on}: ${command.join(' ')}`;
    return { ...{ code: 0, stdout, stderr: stdin ?? '' }, ...{ truncated: false, timedOut: false } };
  }

  async hostNetwork(): ReturnType<Experiments['hostNetwork']> {
    return { ways: [{ between: ['one', 'two'], roundTrip: '41.5ms' }], errors: [] };
  }

  async record(name: string): ReturnType<Experiments['record']> {
    const description = { format: 1, experiment: name, startedAt: STATE.startedAt };
    const files = [{ path: 'record.json', bytes: 3 }];
    return {
      id: name,
      state: 'recording' as const,
      description,
      lastMs: 0,
      samples: 0,
      flows: [],
      events: [],
      verdicts: [],
      agents: [],
      files,
    };
  }

  async recordFile(_: string, path: string) {
    if (path === 'record.json') return Readable.from('{}\n');
    throw new ControllerError('RECORD_UNKNOWN', `there is no file ${path}`);
  }

  async remove(name: string) {
    const { name: experiment } = await this.state(name);
    this.isRemoved = true;
    return { experiment, facts: [], problems: [] };
  }
}

const STATE: ExperimentState = {
  name: NAME,
  topologyFile: 'fake.yaml',
  startedAt: '2026-11-30T00:00:00.000Z',
  platform: 'lab',
  hosts: Object.keys(PLACES).map((name) => ({ name, namespace: `netfold.fake+${name}` })),
  endpoints: Object.entries(PLACES).flatMap(([host, endpoints]) =>
    endpoints.map(({ name, namespace, ifindex, addresses }) => {
      return { name, namespace, ifindex, address: addresses[0]!, addresses, host };
    }),
  ),
};

/** Echoes what it is asked. */
export const fakeInside: Inside = {
  logs: async (_, { name }, { tail, from }) => ({ endpoint: name, text: `${tail} ${from}\n`, next: 7 }),
  exec: async (_, { name }, { command, stdin = '' }) => {
    return {
      code: 0,
      stdout: `${name}: ${command.join(' ')}`,
      stderr: stdin,
      truncated: false,
      timedOut: false,
    };
  },
  terminal: (_, { name }, { columns, rows }, { output, ended }) => {
    output(Buffer.from(`${name} ${columns}x${rows}\n`));
    return {
      write: (text) => (text === 'exit\n' ? ended('the shell has ended with 0') : output(Buffer.from(text))),
      resize: (to) => output(Buffer.from(`${to.columns}x${to.rows}\n`)),
      pause: () => {},
      resume: () => {},
      close: () => {},
    };
  },
};
