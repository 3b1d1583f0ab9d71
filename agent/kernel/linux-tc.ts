/** tc over netlink, and the classifier's map: the kernel's side of enforcement. */

import { isIP } from 'node:net';
import type { LocalEndpoint } from '../endpoints/model.ts';
import { type InterfaceState, NO_PATH, OWN_MAJOR, type ShapedClass } from '../enforce/interface-state.ts';
import type { TcOp } from '../enforce/plan.ts';
import type { FailedOp, TcPort } from '../enforce/ports.ts';
import { addressBytes } from './addresses.ts';
import { CLASS_DROP, PAIR } from './bpf-layout.ts';
import type { BatchMap } from './libbpf.ts';
import { within } from './namespaces.ts';
import { NETLINK_ROUTE, NetlinkSocket, type Request, refusal } from './netlink-socket.ts';
import { setGsoMaxSegments } from './rtnetlink.ts';
import { listClasses, listClassifiers, listQdiscs } from './tc-dumps.ts';
import {
  addClassifier,
  deleteClass,
  deleteRoot,
  handle,
  setHtbClass,
  setHtbRoot,
  setLeafQueue,
  TC_H_ROOT,
} from './tc-messages.ts';

/** HTB serves equal classes in turns of this many bytes; none of ours share a parent's rate, so one frame will do. */
const QUANTUM_BYTES = 1514;
/** Room for traffic that netfold doesn't shape. */
const DIRECT_QUEUE_PACKETS = 1000;

type MapOp = Extract<TcOp, { op: 'set-target' | 'delete-target' }>;
type NetlinkOp = Exclude<TcOp, MapOp>;
const isMapOp = (op: TcOp): op is MapOp => op.op === 'set-target' || op.op === 'delete-target';

interface Attached {
  readonly socket: NetlinkSocket;
  /** The map can't be asked by source alone; what was set is remembered. */
  readonly targets: Map<string, number>;
  gsoSegments: number;
}

export class LinuxTc implements TcPort {
  readonly #attached = new Map<number, Attached>();
  readonly #classes: BatchMap;
  readonly #classifierFd: number;

  constructor({ classes, classifierFd }: { classes: BatchMap; classifierFd: number }) {
    this.#classes = classes;
    this.#classifierFd = classifierFd;
  }

  attach(endpoint: LocalEndpoint): void {
    const socket = within(endpoint.namespace, () => new NetlinkSocket(NETLINK_ROUTE));
    this.#attached.set(endpoint.number, { socket, targets: new Map(), gsoSegments: 0 });
  }

  detach(endpoint: LocalEndpoint): void {
    this.#attached.get(endpoint.number)?.socket.close();
    this.#attached.delete(endpoint.number);
  }

  read(endpoint: LocalEndpoint): InterfaceState {
    const { socket, targets, gsoSegments } = this.#attachment(endpoint);
    const qdiscs = listQdiscs(socket, endpoint.ifindex);
    const root = qdiscs.find(({ parent }) => parent === TC_H_ROOT);
    const own = root?.kind === 'htb' && root.handle === handle(OWN_MAJOR, 0);
    if (!own)
      return {
        foreignRoot: root?.kind ?? 'none',
        classifier: false,
        gsoSegments,
        classes: new Map(),
        targets,
      };
    const leaves = new Map(qdiscs.map((qdisc) => [qdisc.parent, qdisc]));
    const classes = listClasses(socket, endpoint.ifindex, OWN_MAJOR).map((seen): [number, ShapedClass] => {
      const leaf = leaves.get(handle(OWN_MAJOR, seen.minor));
      const kind = leaf?.kind === 'bfifo' ? 'bfifo' : 'pfifo';
      return [seen.minor, { ...seen, queue: { kind, limit: leaf?.limit ?? -1 } }];
    });
    const classifier = listClassifiers(socket, endpoint.ifindex, OWN_MAJOR).length > 0;
    return { foreignRoot: undefined, classifier, gsoSegments, classes: new Map(classes), targets };
  }

  apply(endpoint: LocalEndpoint, ops: readonly TcOp[]): FailedOp[] {
    const failed: FailedOp[] = [];
    // Steps on the map and over netlink keep their order; runs of one kind are one batch.
    for (let start = 0; start < ops.length; ) {
      const mapRun = isMapOp(ops[start]!);
      let end = start;
      while (end < ops.length && isMapOp(ops[end]!) === mapRun) end++;
      const run = ops.slice(start, end);
      failed.push(
        ...(mapRun
          ? this.#applyToMap(endpoint, run as MapOp[])
          : this.#applyToTc(endpoint, run as NetlinkOp[])),
      );
      start = end;
    }
    return failed;
  }

  #applyToTc(endpoint: LocalEndpoint, ops: readonly NetlinkOp[]): FailedOp[] {
    const attached = this.#attachment(endpoint);
    const verdicts = attached.socket.batch(ops.map((op) => this.#request(endpoint, op)));
    return ops.flatMap((op, index) => {
      const verdict = verdicts[index]!;
      if (verdict.errno !== 0) return [{ op, error: refusal(verdict) }];
      if (op.op === 'set-gso') attached.gsoSegments = op.segments;
      return [];
    });
  }

  #request({ ifindex }: LocalEndpoint, op: NetlinkOp): Request {
    switch (op.op) {
      case 'set-gso':
        return setGsoMaxSegments(ifindex, op.segments);
      case 'set-root':
        return setHtbRoot(ifindex, OWN_MAJOR, DIRECT_QUEUE_PACKETS);
      case 'delete-root':
        return deleteRoot(ifindex);
      case 'set-class':
        return setHtbClass(ifindex, OWN_MAJOR, op.shaped.minor, op.shaped, QUANTUM_BYTES);
      case 'set-queue':
        return setLeafQueue(ifindex, OWN_MAJOR, op.minor, op.queue.kind, op.queue.limit);
      case 'add-classifier':
        return addClassifier(ifindex, OWN_MAJOR, this.#classifierFd);
      case 'delete-class':
        return deleteClass(ifindex, OWN_MAJOR, op.minor);
    }
  }

  #applyToMap(endpoint: LocalEndpoint, ops: readonly MapOp[]): FailedOp[] {
    const { targets } = this.#attachment(endpoint);
    const sets = ops.flatMap((op) =>
      op.op === 'set-target' ? pairKeys(endpoint, op.destination).map((key) => ({ key, op })) : [],
    );
    const deletes = ops.flatMap((op) =>
      op.op === 'delete-target' ? pairKeys(endpoint, op.destination) : [],
    );
    try {
      const values = Uint32Array.from(sets, ({ op }) => (op.minor === NO_PATH ? CLASS_DROP : op.minor));
      this.#classes.update(
        Buffer.concat(sets.map(({ key }) => key)),
        new Uint8Array(values.buffer),
        sets.length,
      );
      this.#classes.remove(Buffer.concat(deletes), deletes.length);
    } catch (error) {
      return ops.map((op) => ({ op, error: error as Error }));
    }
    for (const op of ops) {
      if (op.op === 'set-target') targets.set(op.destination, op.minor);
      else targets.delete(op.destination);
    }
    return [];
  }

  #attachment(endpoint: LocalEndpoint): Attached {
    const attached = this.#attached.get(endpoint.number);
    if (!attached) throw new Error(`${endpoint.name} is not attached`);
    return attached;
  }
}

/** Keys of the class map for one destination: one per source address of the same family. */
function pairKeys(endpoint: LocalEndpoint, destination: string): Uint8Array[] {
  const family = isIP(destination);
  return endpoint.addresses
    .filter((address) => isIP(address) === family)
    .map((address) => {
      const key = new Uint8Array(PAIR.size);
      key.set(addressBytes(address), PAIR.source);
      key.set(addressBytes(destination), PAIR.destination);
      return key;
    });
}
