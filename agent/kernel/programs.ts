/** Loads the built BPF object and opens what the agent needs of it. */
import { join } from 'node:path';
import type { LocalEndpoint } from '../endpoints/model.ts';
import { PAIR, USAGE } from './bpf-layout.ts';
import { BatchMap, loadObject, possibleCpus } from './libbpf.ts';
import { close } from './libc.ts';
import { LinuxTc } from './linux-tc.ts';
import { within } from './namespaces.ts';
import { openFilteredSocket } from './packet-socket.ts';
import { UsageMap } from './usage-map.ts';

const OBJECT_FILE = join(import.meta.dirname, '../../bpf/netfold.bpf.o');

/** Pairs of addresses that may carry traffic on one host; 64 Ki of them are 8 MB of kernel memory per CPU. */
const MAX_PAIRS = 65_536;

export interface Programs {
  readonly usage: UsageMap;
  readonly tc: LinuxTc;
  readonly arrivalFd: number;
  /** Counts what the endpoint sends from now on. */
  countTraffic(endpoint: LocalEndpoint): void;
  close(): void;
}

/** `maxClasses`: how many pairs of a local source and any destination can have a class. */
export function loadPrograms(maxClasses: number): Programs {
  const object = loadObject(OBJECT_FILE, { usage: MAX_PAIRS, classes: Math.max(1, maxClasses) });
  const cpus = possibleCpus();
  const batch = (name: string, valueSize: number, capacity: number): BatchMap =>
    new BatchMap({ fd: object.mapFd(name), keySize: PAIR.size, valueSize, capacity });
  const sockets: number[] = [];
  return {
    usage: new UsageMap({ map: batch('usage', USAGE.size * cpus, MAX_PAIRS), cpus, capacity: MAX_PAIRS }),
    tc: new LinuxTc({ classes: batch('classes', 4, 1), classifierFd: object.programFd('classify') }),
    arrivalFd: object.programFd('arrive'),
    countTraffic: ({ namespace, ifindex }) => {
      sockets.push(within(namespace, () => openFilteredSocket(ifindex, object.programFd('count'))));
    },
    close: () => {
      for (const fd of sockets) close(fd);
      object.close();
    },
  };
}
