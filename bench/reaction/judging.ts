/** How long each event of a run took to be in force, and to be visible in the traffic. Pure. */
import { flowShares } from '../../agent/share/flow-shares.ts';
import { fromSeconds, ratePerSecond, secondsToMillis } from '../../proto/units.ts';
import { Folding } from '../../topology/fold/fold.ts';
import type { Topology } from '../../topology/model/model.ts';
import { graphAt } from '../../topology/timeline/graph-at.ts';
import { meanRate, passedSince, slidingRates } from '../measure/traffic/rates.ts';
import type { Run } from './run.ts';
import type { Scenario, Step } from './scenarios.ts';
import { settledAt, steadyFrom } from './settling.ts';

/** Relative to the final value. */
const TOLERANCE = 0.05;
/** Samples of the throughput; several in a row have to be right. */
const SAMPLE_MS = 50;
const IN_A_ROW = 5;
/** Tolerance in a sample, at any rate: frames come one by one, or in packets of several. */
const SAMPLE_FRAMES = 4;
const FRAME_BITS = 1514 * 8;
/**
 * More than an application exchanges before it sends in bulk, and less than a TCP connection's first flight (RFC
 * 6928).
 */
const BULK_BYTES = 8000;
/** Before the next event; the throughput is steady then. */
const STEADY_MS = 1000;

export interface Reaction {
  readonly step: Step;
  /**
   * Per flow, bit/s, its correct share, computed from the whole topology; `undefined` for a flow that does not exist.
   */
  readonly shares: readonly (number | undefined)[];
  /** Milliseconds from the start of the measured time; NaN: never. */
  readonly enforcedMs: number;
  readonly measuredMs: number;
  /** From the event to the start of the measured time: 0, or the time until the application sent. */
  readonly startMs: number;
}

export function reactions(scenario: Scenario, topology: Topology, run: Run): Reaction[] {
  const flowing = new Set<number>();
  return scenario.steps.map((step, index) => {
    for (const flow of step.starts ?? []) flowing.add(flow);
    const window = {
      fromMs: beginning(step, run),
      untilMs: secondsToMillis(scenario.steps[index + 1]?.at ?? scenario.end),
    };
    const shares = sharesAt(scenario, topology, step.at, flowing);
    const enforced = run.flows.map(({ share }, flow) =>
      settledAt(share, (value) => isNear(value, shares[flow], 0), window),
    );
    const measured = run.flows.map(({ received }) => throughputSettledAt(received, window));
    const { fromMs } = window;
    return {
      step,
      shares,
      // NaN must win, and Math.max returns NaN if a value is NaN: one flow that isn't settled is enough.
      enforcedMs: Math.max(...enforced) - fromMs,
      measuredMs: Math.max(...measured) - fromMs,
      startMs: fromMs - secondsToMillis(step.at),
    };
  });
}

/** The event; if applications start, the first data of the last of them. */
function beginning({ at, starts = [] }: Step, { flows }: Run): number {
  const first = starts.map((flow) => passedSince(flows[flow]!.sent, secondsToMillis(at), BULK_BYTES));
  return Math.max(secondsToMillis(at), ...first);
}

function sharesAt(
  { flows }: Scenario,
  topology: Topology,
  seconds: number,
  flowing: ReadonlySet<number>,
): (number | undefined)[] {
  const graph = graphAt(topology, fromSeconds(seconds));
  const folding = new Folding(graph);
  const numbers = flows.map(({ from, to }) => ({
    source: graph.endpoints.indexOf(from),
    destination: graph.endpoints.indexOf(to),
  }));
  const network = {
    paths: (from: number, to: number) => folding.path(from, to),
    linkCapacity: Float64Array.from(graph.links, ({ bandwidth }) => bandwidth),
  };
  const demandBps = Number.POSITIVE_INFINITY;
  const there = numbers.filter((_, flow) => flowing.has(flow)).map((flow) => ({ ...flow, demandBps }));
  const shares = flowShares(network, there);
  return numbers.map(
    ({ source, destination }, flow) =>
      (flowing.has(flow) || undefined) &&
      shares.find((share) => share.source === source && share.destination === destination)?.rateBps,
  );
}

function throughputSettledAt(
  received: Run['flows'][number]['received'],
  { fromMs, untilMs }: { fromMs: number; untilMs: number },
): number {
  const final = meanRate(received, untilMs - STEADY_MS, untilMs);
  const rates = slidingRates(received, SAMPLE_MS).filter(
    ({ atMs }) => atMs > fromMs + SAMPLE_MS && atMs < untilMs,
  );
  return steadyFrom(
    rates.map(({ atMs }) => atMs),
    rates.map(({ bps }) => bps),
    (bps) => isNear(bps, final, ratePerSecond(SAMPLE_FRAMES * FRAME_BITS, SAMPLE_MS)),
    IN_A_ROW,
  );
}

function isNear(value: number | undefined, wanted: number | undefined, leastBps: number): boolean {
  if (value === undefined || wanted === undefined) return value === wanted;
  return Math.abs(value - wanted) <= Math.max(TOLERANCE * wanted, leastBps);
}
