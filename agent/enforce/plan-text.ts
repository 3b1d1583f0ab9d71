/** The steps of a plan, and what is installed, in the words of tc. Pure. */
import { fromBytesPerSecond } from '../../proto/units.ts';
import {
  BORROWER_BYTES_PER_SECOND,
  formatOverhead,
  groupMinor,
  type LeafQueue,
  MOST_GSO_SEGMENTS,
  NO_PATH,
  OWN_MAJOR,
  queueMajor,
  UNSHAPED,
} from './interface-state.ts';
import type { TcOp } from './plan.ts';

const OWN = OWN_MAJOR.toString(16);
const BORROWER = fromBytesPerSecond(BORROWER_BYTES_PER_SECOND);
const classId = (minor: number): string => `${OWN}:${minor.toString(16)}`;

/** One line per step in the words of tc, with the reason. */
export function formatPlan(ifname: string, ops: readonly TcOp[]): string {
  return ops.map((op) => `${formatOp(ifname, op)}  # ${op.reason}`).join('\n');
}

function formatOp(ifname: string, op: TcOp): string {
  switch (op.op) {
    case 'set-gso':
      return `ip link set dev ${ifname} gso_max_segs ${op.segments === MOST_GSO_SEGMENTS ? 'most' : op.segments}`;
    case 'set-root':
      return `tc qdisc replace dev ${ifname} root handle ${OWN}: htb default 0`;
    case 'delete-root':
      return `tc qdisc del dev ${ifname} root`;
    case 'set-class': {
      const { minor, bytesPerSecond, burstBytes, bufferBytes, aqm, mtu, rules } = op.shaped;
      const managed = aqm === undefined ? '' : `, ${aqm}`;
      const inMaps = [
        bufferBytes > 0 && `; bpf map buffers: ${bufferBytes} bytes${managed}`,
        mtu !== undefined && `; bpf map classes: MTU ${mtu}`,
        rules !== undefined && `; bpf map rules: ${rules}`,
      ];
      const buffer = inMaps.filter((one) => one).join('');
      const rate = `${fromBytesPerSecond(bytesPerSecond)}bit`;
      const place = op.shaped.limits
        ? `parent ${classId(groupMinor(minor, 0))} classid ${classId(minor)} htb rate ${BORROWER}bit ceil ${rate} cburst`
        : `parent ${OWN}: classid ${classId(minor)} htb rate ${rate} burst`;
      return `tc class replace dev ${ifname} ${place} ${burstBytes}${formatOverhead(op.shaped)}${buffer}`;
    }
    case 'set-group': {
      const { minor, bytesPerSecond, burstBytes } = op.shaped;
      const rate = `rate ${fromBytesPerSecond(bytesPerSecond)}bit burst ${burstBytes}`;
      return `tc class replace dev ${ifname} parent ${OWN}: classid ${classId(groupMinor(minor, 0))} htb ${rate}${formatOverhead(op.shaped)}`;
    }
    case 'set-limit': {
      const { minor, limits } = op.shaped;
      const { bytesPerSecond, burstBytes } = limits![op.place - 1]!;
      const own = groupMinor(minor, op.place);
      const rate = `rate ${BORROWER}bit ceil ${fromBytesPerSecond(bytesPerSecond)}bit cburst ${burstBytes}`;
      return `tc class replace dev ${ifname} parent ${classId(groupMinor(minor, 0))} classid ${classId(own)} htb ${rate}${formatOverhead(op.shaped)}`;
    }
    case 'set-limit-queue': {
      const { minor, limits } = op.shaped;
      const own = groupMinor(minor, op.place);
      return `tc qdisc replace dev ${ifname} parent ${classId(own)} handle ${own.toString(16)}: ${formatQueue(limits![op.place - 1]!.queue)}`;
    }
    case 'delete-limit':
      return `tc class del dev ${ifname} classid ${classId(groupMinor(op.minor, op.place))}`;
    case 'take-out':
      return `tc class del dev ${ifname} classid ${classId(op.minor)}`;
    case 'delete-group':
      return `tc class del dev ${ifname} classid ${classId(groupMinor(op.minor, 0))}`;
    case 'delete-queue':
      return `tc qdisc del dev ${ifname} parent ${classId(op.minor)}`;
    case 'set-queue':
      return `tc qdisc replace dev ${ifname} parent ${classId(op.minor)} handle ${op.minor.toString(16)}: ${formatQueue(op.queue)}`;
    case 'set-further': {
      const queue = `netem limit ${op.limit} rate ${fromBytesPerSecond(op.bytesPerSecond)}bit`;
      const own = queueMajor(op.minor, op.place).toString(16);
      return `tc qdisc replace dev ${ifname} parent ${withinQueue(op)} handle ${own}: ${queue}`;
    }
    case 'cut-further':
      return `tc qdisc del dev ${ifname} parent ${withinQueue(op)}`;
    case 'set-target':
      return `bpf map classes: ${op.destination} -> ${formatTarget(op.minor)}`;
    case 'add-classifier':
      return `tc filter add dev ${ifname} parent ${OWN}: protocol all prio 1 bpf direct-action name netfold`;
    case 'delete-target':
      return `bpf map classes: delete ${op.destination}`;
    case 'delete-class':
      return `tc class del dev ${ifname} classid ${classId(op.minor)}`;
  }
}

const withinQueue = ({ minor, place }: { minor: number; place: number }): string =>
  `${queueMajor(minor, place - 1).toString(16)}:1`;

function formatTarget(minor: number): string {
  if (minor === NO_PATH) return 'drop';
  return minor === UNSHAPED ? 'pass' : classId(minor);
}

/** As tc prints it. */
export function formatQueue(queue: LeafQueue): string {
  if (queue.kind !== 'netem') return `${queue.kind} limit ${queue.limit}`;
  const { limit, latencyNs, jitterNs, distribution, loss, lossModel, corrupt, reorder, slots } = queue;
  const { slowest, framing, furtherLinks, furtherRate = 0 } = queue;
  const shape = distribution.startsWith('quantiles') ? 'of the user' : distribution;
  const parts = [
    `netem limit ${limit} delay ${latencyNs}ns`,
    jitterNs > 0 && `${jitterNs}ns distribution ${shape}`,
    lossModel === undefined ? `loss ${loss * 100}%` : `loss ${lossModel}`,
    corrupt && `corrupt ${corrupt * 100}%`,
    reorder && `reorder ${reorder * 100}%`,
    slots !== undefined && `slot ${slots.replace(' ', 'ns ')}ns`,
    slowest > 0 && `rate ${fromBytesPerSecond(slowest)}bit${framing === undefined ? '' : ` ${framing}`}`,
    furtherLinks && `within ${furtherLinks} at ${fromBytesPerSecond(furtherRate)}bit`,
  ];
  return parts.filter((part) => part).join(' ');
}
