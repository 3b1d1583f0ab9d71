/** The experiments of this machine, by their files and their agents' sockets. */
import { callJson } from '../../proto/http-json.ts';
import { ControllerError } from '../errors.ts';
import { controlAgents, userKeyOf } from '../experiment/control.ts';
import { type ExperimentState, experimentNames, findExperiment, stateReader } from '../experiment/state.ts';
import { removeExperiment } from '../experiment/teardown.ts';
import { agentSocket } from '../names.ts';
import { recordFile, recordNow } from './answers/record.ts';
import { ExecSlots, timeoutMsOf } from './exec-bounds.ts';
import type { Experiments, Listed } from './ports.ts';
import { start } from './starting/daemon.ts';
import { askHosts, hostExec, hostLogs, hostNetwork } from './starting/injections.ts';
import { runTool } from './starting/tools.ts';

export interface LocalOptions {
  /** A file with the key that signs commands; else that of each experiment, where there is one. */
  readonly key?: string | undefined;
  /** For hosts over SSH; else that of the user who runs the server. */
  readonly sshConfig?: string | undefined;
}

export function localExperiments({ key, sshConfig }: LocalOptions = {}): Experiments {
  const readState = stateReader();
  const slots = new ExecSlots();
  return {
    list: async () => (await experimentNames()).map((name) => listed(name, readState(name))),
    state: async (name) => {
      const known = readState(name);
      if (known) return known;
      await findExperiment(name);
      throw new ControllerError(
        'EXPERIMENT_UNKNOWN',
        `the state file of ${name} is missing, or it is just starting`,
        `wait, or remove it with \`netfold down ${name}\``,
      );
    },
    ask: (experiment, host, path) => callJson(`unix:${agentSocket(experiment, host)}`, path),
    command: async (experiment, host, request) =>
      (await controlAgents(experiment, host, request, userKeyOf(experiment, key))).answer,
    start: (request, tell) => start(request, tell, sshConfig),
    tool: async (tool, request, signal) => {
      const timeoutMs = timeoutMsOf(request.timeout);
      return slots.run(() => runTool(tool, request, { timeoutMs, signal }));
    },
    askHosts: (action, request) => askHosts(action, request, sshConfig),
    hostLogs: (request) => hostLogs(request, sshConfig),
    hostExec: async (request, signal) => {
      const timeoutMs = timeoutMsOf(request.timeout);
      return slots.run(() => hostExec(request, { timeoutMs, signal }, sshConfig));
    },
    hostNetwork: (request) => hostNetwork(request, sshConfig),
    record: async (name) => recordNow(name),
    recordFile,
    remove: async (name) => {
      if (!readState(name)) await findExperiment(name);
      return removeExperiment(name);
    },
  };
}

function listed(name: string, state: ExperimentState | undefined): Listed {
  return {
    name,
    topologyFile: state?.topologyFile ?? null,
    startedAt: state?.startedAt ?? null,
    platform: state?.platform ?? null,
    hosts: state?.hosts.length ?? 0,
    endpoints: state?.endpoints.length ?? 0,
  };
}
