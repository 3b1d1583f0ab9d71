/** What the kernel and the file system contain of an experiment. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { listNamespaces } from '../../../agent/kernel/netns/namespace-files.ts';
import { experimentFolder } from '../../../controller/names.ts';
import { experimentOf, NETNS_ETC_FOLDER } from '../../../controller/platform/lab/lab-names.ts';

export interface Traces {
  readonly namespaces: readonly string[];
  readonly folder: boolean;
  readonly etc: readonly string[];
  readonly processes: readonly number[];
}

export const NOTHING: Traces = { namespaces: [], folder: false, etc: [], processes: [] };

export function tracesOf(name: string): Traces {
  const etc = existsSync(NETNS_ETC_FOLDER) ? readdirSync(NETNS_ETC_FOLDER) : [];
  return {
    namespaces: namespacesOf(name),
    folder: existsSync(experimentFolder(name)),
    etc: etc.filter((entry) => entry.includes(name)),
    processes: processesOf(name),
  };
}

export function namespacesOf(name: string): string[] {
  return listNamespaces().filter((namespace) => experimentOf(namespace) === name);
}

/** Processes of the experiment, wherever they are: agents, applications, the controller. */
export function processesOf(name: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => commandLine(pid).includes(name))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
