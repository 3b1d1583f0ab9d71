/** Two machines on one cable, each with its own kernel and its own agent, and one topology over both. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { agentSocket, controllerSocket, logFile } from '../../../controller/names.ts';
import type { LabEndpoint, LabHost, LabPlan } from '../../../controller/platform/lab/lab-plan.ts';
import { lastLines } from '../../../deploy/setup/processes.mjs';
import { MachineError } from '../../../deploy/vm/errors.ts';
import { VirtualMachine } from '../../../deploy/vm/virtual-machine.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { BOOTSTRAP_PORT, EXPERIMENT, planJoined } from './joined-plan.ts';

const HOST_PROGRAM = 'test/vm/machine/joined-host.ts';
/** Everything that runs inside starts several times slower than on a real machine. */
const STEP_TIMEOUT_MS = 150_000;

export class JoinedMachines {
  readonly plan: LabPlan;
  readonly machines: readonly VirtualMachine[];
  readonly #folder: string;

  private constructor(plan: LabPlan, machines: readonly VirtualMachine[], folder: string) {
    this.plan = plan;
    this.machines = machines;
    this.#folder = folder;
  }

  /** Boots two machines; nothing runs on them yet. `file` is the topology's path in the checkout. */
  static async boot(file: string): Promise<JoinedMachines> {
    const plan = planJoined({ file: basename(file), text: readFileSync(file, 'utf8') }, 2);
    const folder = mkdtempSync(join(tmpdir(), 'netfold-cable-'));
    const socket = (index: number): string => join(folder, `${index}.sock`);
    const booted = await Promise.allSettled(
      plan.hosts.map(({ name, index }) => {
        const mac = `52:54:00:00:00:0${index + 1}`;
        const cable = { socket: socket(index), peerSocket: socket(1 - index), mac };
        return VirtualMachine.boot({ hostname: name, memoryMb: 2048, cable });
      }),
    );
    const machines = booted.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
    const joined = new JoinedMachines(plan, machines, folder);
    const failed = booted.find((one) => one.status === 'rejected');
    if (!failed) return joined;
    await joined.stop();
    throw failed.reason;
  }

  /** Makes the endpoints, serves the bootstrap on the first machine, starts the agents, waits until they enforce. */
  async start(file: string): Promise<void> {
    const { hosts } = this.plan;
    const program = `node ${HOST_PROGRAM}`;
    await Promise.all(
      hosts.map((host) => this.onHost(host, `${program} make ${file} ${host.name} ${hosts.length}`)),
    );
    const [first] = hosts;
    const log = logFile(EXPERIMENT, 'controller');
    const serve = inNamespace(first!.namespace, `${program} serve ${file} ${hosts.length}`);
    await this.onHost(
      first!,
      `${serve} >${log} 2>&1 &\nuntil [ -S ${controllerSocket(EXPERIMENT)} ] && grep -q serving ${log}; do sleep 0.2; done`,
    );
    await Promise.all(
      hosts.map((host) => this.onHost(host, `${this.#agent(host)}\n${program} wait ${host.name}`)),
    );
  }

  #agent({ name, namespace }: LabHost): string {
    const controller = `http://${this.plan.hosts[0]!.address}:${BOOTSTRAP_PORT}`;
    const socket = agentSocket(EXPERIMENT, name);
    const agent = `bin/netfold agent --controller ${controller} --host ${name} --socket ${socket}`;
    return `${inNamespace(namespace, agent)} >${logFile(EXPERIMENT, name)} 2>&1 &`;
  }

  endpoint(name: string): LabEndpoint {
    return this.plan.endpoints.find((endpoint) => endpoint.name === name)!;
  }

  /** Runs a shell command in an endpoint's or a host's namespace, on its machine. Throws unless it ends with 0. */
  async in(place: LabEndpoint | LabHost, command: string): Promise<string> {
    const host = 'host' in place ? place.host : place;
    return this.onHost(host, inNamespace(place.namespace, command));
  }

  async onHost({ name, index }: LabHost, command: string): Promise<string> {
    const { code, output } = await this.machines[index]!.run(command, { timeoutMs: STEP_TIMEOUT_MS });
    if (code === 0) return output;
    throw new MachineError(
      'COMMAND_FAILED',
      `\`${command}\` ended with ${code} on ${name}:\n${lastLines(output)}`,
    );
  }

  /**
   * What both agents leave out of a round trip between the machines, in milliseconds, since they take it for the real
   * network's: an emulated processor answers late at times.
   */
  async subtractedMs(): Promise<number> {
    const texts = await Promise.all(
      this.plan.hosts.map((host) => this.onHost(host, `node ${HOST_PROGRAM} wait ${host.name}`)),
    );
    const hosts = texts.flatMap((text) => (JSON.parse(text) as AgentStatus).underlay.hosts);
    return hosts.reduce((sum, { subtractedMs }) => sum + subtractedMs, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const inNamespace = (namespace: string, command: string): string => `ip netns exec ${namespace} ${command}`;
