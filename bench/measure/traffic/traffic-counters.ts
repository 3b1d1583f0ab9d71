/**
 * Counts frames and bytes between addresses, where they leave interfaces: exact, and cheap for any number of frames.
 */
import { join } from 'node:path';
import { BatchMap, loadObject, possibleCpus } from '../../../agent/kernel/bpf/libbpf.ts';
import { addressBytes, addressKey } from '../../../agent/kernel/netlink/addresses.ts';
import { namespacePath, within } from '../../../agent/kernel/netns/namespaces.ts';
import { close } from '../../../agent/kernel/sys/descriptors.ts';
import { openFilteredSocket } from '../../../agent/kernel/sys/packet-socket.ts';
import { PAIR, USAGE } from '../../../agent/linux/objects/bpf-layout.ts';

const OBJECT_FILE = join(import.meta.dirname, '../../../bpf/netfold.bpf.o');
const MAX_PAIRS = 8192;

/** Traffic from one address to another since counting began, in frames on the wire. */
export interface PairTraffic {
  /** Addresses as in `addressKey`. */
  readonly source: string;
  readonly destination: string;
  /** Ethernet frames without preamble and check sum. */
  readonly bytes: number;
  readonly packets: number;
}

export interface CountedInterface {
  /** Name of the namespace. */
  readonly namespace: string;
  readonly ifindex: number;
}

/** The agents' own program (bpf/netfold.bpf.c, `count`), loaded a second time. It only counts packets. */
export class TrafficCounters {
  readonly #sockets: number[] = [];
  readonly #map: BatchMap;
  readonly #cpus = possibleCpus();
  readonly #totals = new Map<string, PairTraffic>();
  readonly #close: () => void;

  constructor(interfaces: readonly CountedInterface[]) {
    const object = loadObject(OBJECT_FILE, { usage: MAX_PAIRS });
    this.#close = () => object.close();
    const valueSize = USAGE.size * this.#cpus;
    this.#map = new BatchMap({
      fd: object.mapFd('usage'),
      keySize: PAIR.size,
      valueSize,
      capacity: MAX_PAIRS,
    });
    for (const { namespace, ifindex } of interfaces) {
      const open = (): number => openFilteredSocket(ifindex, object.programFd('count'));
      this.#sockets.push(within(namespacePath(namespace), open));
    }
  }

  /** Of all pairs, since the start. */
  read(): PairTraffic[] {
    const count = this.#map.take();
    const { keys, values } = this.#map;
    const counters = new BigUint64Array(values.buffer);
    for (let row = 0; row < count; row++) {
      const at = row * PAIR.size;
      const source = addressKey(keys, at + PAIR.source);
      const destination = addressKey(keys, at + PAIR.destination);
      const key = `${source} ${destination}`;
      let { bytes, packets } = this.#totals.get(key) ?? { bytes: 0, packets: 0 };
      for (let cpu = 0; cpu < this.#cpus; cpu++) {
        const word = ((row * this.#cpus + cpu) * USAGE.size) / 8;
        bytes += Number(counters[word + USAGE.bytes / 8]!);
        packets += Number(counters[word + USAGE.packets / 8]!);
      }
      this.#totals.set(key, { source, destination, bytes, packets });
    }
    return [...this.#totals.values()];
  }

  close(): void {
    for (const socket of this.#sockets) close(socket);
    this.#close();
  }
}

/** Names by the keys of their addresses. */
export function keysOf(
  places: readonly { readonly name: string; readonly addresses: readonly string[] }[],
): ReadonlyMap<string, string> {
  return new Map(
    places.flatMap(({ name, addresses }) =>
      addresses.map((address) => [addressKey(addressBytes(address)), name] as const),
    ),
  );
}
