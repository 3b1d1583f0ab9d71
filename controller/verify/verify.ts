/** Measures a running experiment with real traffic and compares the result with its folded paths. */

import { quantiles } from '../../agent/enforce/distributions.ts';
import { meanLateMs } from '../../agent/enforce/lateness.ts';
import { INTERVAL_DEVIATIONS } from '../../agent/linux/delay-line/jitter.ts';
import { greedyShares } from '../../agent/share/greedy-shares.ts';
import { timeAtLinks } from '../../proto/impairment.ts';
import { frameShare } from '../../proto/queue.ts';
import { micros, toMillis } from '../../proto/units.ts';
import { Folding } from '../../topology/fold/fold.ts';
import type { Path } from '../../topology/model/model.ts';
import { ControllerError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { type Choice, chooseMeasurements, type Pair } from './choose.ts';
import { fillSeconds, isSlow, planPings, planTcp } from './durations.ts';
import { tcpGoodput } from './goodput.ts';
import {
  type ExpectedJitter,
  type Finding,
  judgeLoss,
  judgeRate,
  judgeRelease,
  judgeRoundTrip,
} from './judge.ts';
import { type Flow, PING6_FRAME_BYTES, type Place, ping, pingFrameBytes } from './traffic.ts';

/** The least of a bandwidth alone, and of shares, which must be right two seconds after the start of the last flow. */
const ALONE = { seconds: 4, settleSeconds: 1 };
const COMPETING = { seconds: 4, settleSeconds: 2 };
/** A real error repeats; the table says how often was tried. */
const MAX_TRIES = 2;

export class Verification {
  readonly #experiment: Experiment;
  readonly #folding: Folding;
  readonly choice: Choice;

  /** `windowBytes`: what the machine's socket buffers hold of one flow. */
  constructor(experiment: Experiment, windowBytes?: number) {
    this.#experiment = experiment;
    this.#folding = new Folding(experiment.graph);
    this.choice = chooseMeasurements(this.#folding, windowBytes);
    const [tooSlow] = this.choice.leftOut;
    if (this.choice.paths.length === 0) {
      throw new ControllerError(
        'NOTHING_TO_MEASURE',
        tooSlow ?? 'no two endpoints of this topology reach each other both ways',
        tooSlow === undefined ? 'connect them by links' : 'measure it by hand: netfold up, netfold exec',
      );
    }
  }

  /**
   * Round-trip time and loss of all chosen paths: at once where pings are too small to disturb each other, and those over slow
   * links one after the other.
   */
  async roundTrips(): Promise<Finding[]> {
    const [slow, quick] = [true, false].map((wanted) =>
      this.choice.paths.filter((pair) => this.#isSlow(pair) === wanted),
    ) as [Pair[], Pair[]];
    const findings = await Promise.all(quick.map((pair) => this.#roundTrip(pair)));
    for (const pair of slow) findings.push(await this.#roundTrip(pair));
    return findings.flat();
  }

  #isSlow({ from, to }: Pair): boolean {
    return isSlow(this.#folding.path(from, to)!, this.#folding.path(to, from)!, PING6_FRAME_BYTES);
  }

  /** Loss is judged by the first try: a machine that pauses delays packets, but doesn't lose them. */
  async #roundTrip(pair: Pair): Promise<Finding[]> {
    const path = this.#folding.path(pair.from, pair.to)!;
    const back = this.#folding.path(pair.to, pair.from)!;
    const lost = 1 - (1 - path.loss) * (1 - back.loss);
    const { from, to } = this.#flow(pair);
    const name = `${from.name} ⇄ ${to.name}`;
    const bytes = pingFrameBytes(to);
    const { count, intervalMs, patienceMs } = planPings(path, back, bytes)!;
    const sample = () => ping(from, to, count, intervalMs, patienceMs);
    const targetMs = meanDelayMs(path, bytes) + meanDelayMs(back, bytes);
    // Nothing comes back whose time could be measured.
    if (lost === 1) return [judgeLoss(name, lost, await sample())];
    let loss: Finding | undefined;
    const [roundTrip] = await tried(async () => {
      const samples = await sample();
      loss ??= judgeLoss(name, lost, samples);
      const jitter = expectedJitter(path, back, samples.received, count * intervalMs);
      return [judgeRoundTrip(name, targetMs, jitter, samples)];
    });
    return [roundTrip!, loss!];
  }

  async alone(): Promise<Finding[]> {
    const pair = this.choice.alone;
    if (!pair) return [];
    const flow = this.#flow(pair);
    const path = this.#folding.path(pair.from, pair.to)!;
    const bandwidth = path.bandwidth * frameShare(path.overhead);
    const filling = this.#fillSeconds(pair);
    return tried(async (tries) => {
      const plan = { ...planTcp(ALONE, filling, bandwidth, tries), rateBps: bandwidth };
      const goodput = await tcpGoodput(flow, plan);
      return [judgeRate('bandwidth', nameOf(flow), plan, goodput, flow.to.address)];
    });
  }

  async competing(): Promise<Finding[]> {
    const flows = this.choice.competing.map((pair) => this.#flow(pair));
    const pairs = flows.map(({ from, to }) => ({ from: from.name, to: to.name }));
    const targets = greedyShares(this.#experiment.graph, this.#folding, pairs);
    const rates = targets.map(({ rateBps }, index) => {
      const { from, to } = this.choice.competing[index]!;
      return rateBps! * frameShare(this.#folding.path(from, to)!.overhead);
    });
    const filling = Math.max(...this.choice.competing.map((pair) => this.#fillSeconds(pair)));
    return tried(async (tries) => {
      // All for the same time, by the one that needs longest: shares are of flows that run at once.
      const plan = planTcp(COMPETING, filling, Math.min(...rates), tries);
      const all = rates.map((rateBps) => ({ ...plan, rateBps }));
      const goodputs = await Promise.all(flows.map((flow, index) => tcpGoodput(flow, all[index]!)));
      return flows.map((flow, index) =>
        judgeRate('share', nameOf(flow), all[index]!, goodputs[index]!, flow.to.address),
      );
    });
  }

  /** By each host's own measurement, over all traffic of the others. netem measures nothing. */
  async releases(): Promise<Finding[]> {
    const statuses = await this.#experiment.statuses();
    return statuses.flatMap(({ host, delay }) => {
      const meanMs = delay.work && meanLateMs(delay.work);
      return meanMs === undefined ? [] : [judgeRelease(host, meanMs)];
    });
  }

  #fillSeconds({ from, to }: Pair): number {
    return fillSeconds(this.#folding.path(from, to)!, this.#folding.path(to, from)!);
  }

  #flow({ from, to }: Pair): Flow {
    const { plan, platform } = this.#experiment;
    const placeOf = (number: number): Place => {
      const endpoint = plan.endpoints.find((one) => one.number === number)!;
      return { ...endpoint, inside: (command) => platform.exec(endpoint, command) };
    };
    return { from: placeOf(from), to: placeOf(to) };
  }
}

/**
 * Repeats the measurement while anything is outside: a shared machine may pause for 100 ms, which changes a mean by 1
 * ms.
 */
async function tried(measure: (tries: number) => Promise<Finding[]>): Promise<Finding[]> {
  for (let tries = 1; ; tries++) {
    const findings = (await measure(tries)).map((finding) => ({ ...finding, tries }));
    if (tries === MAX_TRIES || findings.every(({ ok }) => ok)) return findings;
  }
}

/**
 * Mean delay in one direction, of a frame of so many bytes. Jitter that is large beside the latency is cut off where there
 * would be no delay at all, which makes the mean longer than the latency.
 */
function meanDelayMs(path: Path, bytes: number): number {
  const { latency, jitter, distribution = 'normal' } = path;
  const delay = latency + timeAtLinks(bytes, path);
  if (jitter === 0) return toMillis(micros(delay));
  const values = quantiles(distribution);
  const sum = values.reduce((all, value) => all + Math.max(0, delay + jitter * value), 0);
  return toMillis(micros(sum / values.length));
}

function nameOf({ from, to }: Flow): string {
  return `${from.name} > ${to.name}`;
}

/** Packets close together have the same jitter and count as one sample. */
function expectedJitter(path: Path, back: Path, received: number, durationMs: number): ExpectedJitter {
  const slowest = toMillis(micros(Math.max(path.jitter, back.jitter)));
  const deviationMs = toMillis(micros(Math.hypot(path.jitter, back.jitter)));
  const intervals = durationMs / (INTERVAL_DEVIATIONS * slowest);
  return { deviationMs, independentSamples: Math.max(1, Math.min(received, intervals)) };
}
