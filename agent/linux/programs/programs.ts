/** Loads the built BPF object, and opens its programs and maps. */
import { close } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Exemption, LocalEndpoint } from '../../../proto/bootstrap.ts';
import type { Spread } from '../../../proto/lanes.ts';
import { millisToNanos } from '../../../proto/units.ts';
import { kernelMonotonicNanos } from '../../kernel/bpf/kernel-clock.ts';
import { BatchMap, loadObject, possibleCpus } from '../../kernel/bpf/libbpf.ts';
import { ADDRESS_BYTES } from '../../kernel/netlink/addresses.ts';
import { within } from '../../kernel/netns/namespaces.ts';
import { isFiltering, openFilteredSocket } from '../../kernel/sys/packet-socket.ts';
import {
  BACKLOG,
  BUFFER,
  EXEMPTIONS,
  MANAGER,
  PAIR,
  PARTY,
  RULES,
  TARGET,
  USAGE,
} from '../objects/bpf-layout.ts';
import { ClassMaps } from './class-maps.ts';
import { exemptionBytes } from './exemption-bytes.ts';
import { FarEnds } from './far-ends.ts';
import { LinuxTc } from './linux-tc.ts';
import { UsageMap } from './usage-map.ts';

const OBJECT_FILE = join(import.meta.dirname, '../../../bpf/netfold.bpf.o');

/**
 * The most pairs of addresses that may be in use, or send within one tick, on one host. 64 Ki of them take 8 MB of kernel
 * memory per CPU. A read walks the whole table, also where it is empty (0.3 ms), so small experiments have smaller ones.
 */
const MAX_PAIRS = 65_536;
const MIN_PAIRS = 1024;
/** Room for addresses that are learned later, of endpoints that moved. An entry takes some 64 bytes. */
const MORE_MEMBERS = 1024;

const closeLater = promisify(close);

/** The key of an array. */
const INDEX_SIZE = 4;

export interface Programs {
  readonly usage: UsageMap;
  readonly tc: LinuxTc;
  readonly arrivalFd: number;
  /** The map in which the threads of the delay line promise to serve their queues (`attendance.ts`). */
  readonly attendedFd: number;
  readonly detacherFd: number;
  /**
   * After this time, unless the lease is renewed before, the programs let everything pass: neither shaped, nor dropped, nor
   * held. Without a first lease they enforce for ever.
   */
  renewLease(milliseconds: number): void;
  /** Where there is a lease, this traffic is neither shaped nor counted, beside SSH and the mesh. */
  exempt(traffic: readonly Exemption[]): void;
  /** Counts the endpoint's outgoing traffic from now on, until `stopCounting`. */
  countTraffic(endpoint: LocalEndpoint): void;
  /** Counts again where an endpoint's traffic is not counted any more: its interface has been elsewhere. Returns whether that was so. */
  resumeCounting(endpoint: LocalEndpoint): boolean;
  /** Does nothing where the endpoint is not counted. Its number may then be given to another interface. */
  stopCounting(endpoint: LocalEndpoint): Promise<void>;
  /** Number of an endpoint → how many frames of it were dropped at the other end of its link, for they had not passed the classifier. */
  strays(): ReadonlyMap<number, number>;
  close(): Promise<void>;
}

/**
 * `firstPort`: of `FarEnds`. `maxPairs`: the number of pairs of addresses, of a local source and any destination. At most `MAX_PAIRS` of them can be in
 * use at a time. `maxParties`: the number of addresses of all endpoints. `spread`: where pairs have several paths; `maxPairs` counts each.
 */
export function loadPrograms(
  maxPairs: number,
  maxParties = 1,
  firstPort?: number,
  spread?: Spread,
): Programs {
  const rows = Math.min(Math.max(1, maxPairs), MAX_PAIRS);
  const pairs = Math.max(rows, MIN_PAIRS);
  const object = loadObject(OBJECT_FILE, {
    usage: pairs,
    classes: rows,
    buffers: rows,
    backlogs: rows,
    managers: rows,
    rules: rows,
    parties: maxParties,
    members: maxParties + MORE_MEMBERS,
    strays: maxParties,
  });
  const cpus = possibleCpus();
  const map = (name: string, keySize: number, valueSize: number, capacity = 1): BatchMap =>
    new BatchMap({ fd: object.mapFd(name), keySize, valueSize, capacity });
  const maps = new ClassMaps({
    targets: map('classes', PAIR.size, TARGET.size),
    buffers: map('buffers', INDEX_SIZE, BUFFER.size),
    backlogs: map('backlogs', INDEX_SIZE, BACKLOG.size),
    managers: map('managers', INDEX_SIZE, MANAGER.size),
    rules: map('rules', INDEX_SIZE, RULES.size),
    parties: map('parties', ADDRESS_BYTES, PARTY.size),
    rows,
  });
  const farEnds =
    firstPort === undefined
      ? undefined
      : new FarEnds({ firstPort, guardFd: object.programFd('guard'), strays: map('strays', INDEX_SIZE, 8) });
  if (spread)
    map('seeds', INDEX_SIZE, 4).update(
      new Uint8Array(INDEX_SIZE),
      new Uint8Array(Uint32Array.of(spread.seed).buffer),
      1,
    );
  const lease = map('lease', INDEX_SIZE, 8);
  const exemptions = map('exemptions', INDEX_SIZE, EXEMPTIONS.size);
  /** Number of an endpoint → its counting socket. */
  const sockets = new Map<number, number>();
  const openCounter = ({ namespace, ifindex }: LocalEndpoint): number =>
    within(namespace, () => openFilteredSocket(ifindex, object.programFd('count')));
  return {
    usage: new UsageMap({
      map: map('usage', PAIR.size, USAGE.size * cpus, pairs),
      rows: map('rows', INDEX_SIZE, 8),
      members: map('members', ADDRESS_BYTES, 4),
      mostMembers: maxParties + MORE_MEMBERS,
      cpus,
      capacity: pairs,
      ...(spread && { lanes: spread.lanes }),
    }),
    tc: new LinuxTc({
      maps,
      classifierFd: object.programFd('classify'),
      detacherFd: object.programFd('detach'),
      ...(farEnds && { farEnds }),
    }),
    arrivalFd: object.programFd('arrive'),
    attendedFd: object.mapFd('attended'),
    detacherFd: object.programFd('detach'),
    renewLease: (milliseconds) => {
      const until = kernelMonotonicNanos() + BigInt(Math.round(millisToNanos(milliseconds)));
      lease.update(new Uint8Array(INDEX_SIZE), new Uint8Array(BigUint64Array.of(until).buffer), 1);
    },
    exempt: (traffic) => exemptions.update(new Uint8Array(INDEX_SIZE), exemptionBytes(traffic), 1),
    countTraffic: (endpoint) => {
      const { number, name } = endpoint;
      if (sockets.has(number)) throw new Error(`${name} is counted already`);
      sockets.set(number, openCounter(endpoint));
    },
    resumeCounting: (endpoint) => {
      const fd = sockets.get(endpoint.number);
      if (fd === undefined || isFiltering(fd, endpoint.ifindex)) return false;
      sockets.set(endpoint.number, openCounter(endpoint));
      // Which takes a grace period; nobody waits for it.
      void closeLater(fd);
      return true;
    },
    stopCounting: async ({ number }) => {
      const fd = sockets.get(number);
      sockets.delete(number);
      if (fd !== undefined) await closeLater(fd);
    },
    strays: () => farEnds?.dropped() ?? new Map(),
    close: async () => {
      farEnds?.close();
      object.close();
      // Each close waits for a grace period of RCU, 10 ms (`packet_release`, net/packet/af_packet.c); concurrent ones share it.
      await Promise.all(Array.from(sockets.values(), (fd) => closeLater(fd)));
    },
  };
}
