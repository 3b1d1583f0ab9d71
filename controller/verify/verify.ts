/** Measures a running experiment with real traffic and compares the result with its folded paths. */

import { meanLateMs } from '../../agent/enforce/lateness.ts';
import { INTERVAL_DEVIATIONS } from '../../agent/linux/delay-line/jitter.ts';
import { greedyShares } from '../../agent/share/greedy-shares.ts';
import { type Micros, micros, nanosPerByte, timeToTransmit, toMillis } from '../../proto/units.ts';
import { Folding } from '../../topology/fold/fold.ts';
import type { Path } from '../../topology/model/model.ts';
import { ControllerError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { type Choice, chooseMeasurements, type Pair } from './choose.ts';
import { tcpGoodput } from './goodput.ts';
import { type Finding, judgeLoss, judgeRate, judgeRelease, judgeRoundTrip } from './judge.ts';
import { type Flow, type Place, ping, pingFrameBytes } from './traffic.ts';

/** Enough for a mean within 0.1 ms on a noisy machine, and for useful confidence intervals of the loss. */
const PINGS = { count: 250, intervalMs: 10 };
const LOSSY_PINGS = { count: 1500, intervalMs: 3 };
const ALONE = { seconds: 5, settleSeconds: 1 };
/** Shares must be right two seconds after the start of the last flow. */
const COMPETING = { seconds: 6, settleSeconds: 2 };
/** A real error repeats; the table says how often was tried. */
const MAX_TRIES = 2;

export class Verification {
  readonly #experiment: Experiment;
  readonly #folding: Folding;
  readonly choice: Choice;

  constructor(experiment: Experiment) {
    this.#experiment = experiment;
    this.#folding = new Folding(experiment.graph);
    this.choice = chooseMeasurements(this.#folding);
    if (this.choice.paths.length === 0) {
      throw new ControllerError(
        'NOTHING_TO_MEASURE',
        'no two endpoints of this topology reach each other both ways',
        'connect them by links',
      );
    }
  }

  /** Round-trip time and loss of all chosen paths at once: pings are too few to disturb each other. */
  async roundTrips(): Promise<Finding[]> {
    const findings = await Promise.all(this.choice.paths.map((pair) => this.#roundTrip(pair)));
    return findings.flat();
  }

  /** Loss is judged by the first try: a machine that pauses delays packets, but doesn't lose them. */
  async #roundTrip(pair: Pair): Promise<Finding[]> {
    const path = this.#folding.path(pair.from, pair.to)!;
    const back = this.#folding.path(pair.to, pair.from)!;
    const lost = 1 - (1 - path.loss) * (1 - back.loss);
    const { from, to } = this.#flow(pair);
    const { count, intervalMs } = lost > 0 ? LOSSY_PINGS : PINGS;
    const name = `${from.name} ⇄ ${to.name}`;
    const bytes = pingFrameBytes(to);
    const targetMs = toMillis(micros(pingTime(path, bytes) + pingTime(back, bytes)));
    // Nothing comes back whose time could be measured.
    if (lost === 1) return [judgeLoss(name, lost, await ping(from, to, count, intervalMs))];
    let loss: Finding | undefined;
    const [roundTrip] = await tried(async () => {
      const samples = await ping(from, to, count, intervalMs);
      loss ??= judgeLoss(name, lost, samples);
      const errorMs = jitterErrorMs(path, back, samples.received, count * intervalMs);
      return [judgeRoundTrip(name, targetMs, errorMs, samples)];
    });
    return [roundTrip!, loss!];
  }

  async alone(): Promise<Finding[]> {
    const pair = this.choice.alone;
    if (!pair) return [];
    const flow = this.#flow(pair);
    const { bandwidth } = this.#folding.path(pair.from, pair.to)!;
    return tried(async () => {
      const goodput = await tcpGoodput(flow, { ...ALONE, rateBps: bandwidth });
      return [judgeRate('bandwidth', nameOf(flow), bandwidth, goodput, flow.to.address)];
    });
  }

  async competing(): Promise<Finding[]> {
    const flows = this.choice.competing.map((pair) => this.#flow(pair));
    const pairs = flows.map(({ from, to }) => ({ from: from.name, to: to.name }));
    const targets = greedyShares(this.#experiment.graph, this.#folding, pairs);
    return tried(async () => {
      const goodputs = await Promise.all(
        flows.map((flow, index) => tcpGoodput(flow, { ...COMPETING, rateBps: targets[index]!.rateBps! })),
      );
      return flows.map((flow, index) =>
        judgeRate('share', nameOf(flow), targets[index]!.rateBps!, goodputs[index]!, flow.to.address),
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
async function tried(measure: () => Promise<Finding[]>): Promise<Finding[]> {
  for (let tries = 1; ; tries++) {
    const findings = (await measure()).map((finding) => ({ ...finding, tries }));
    if (tries === MAX_TRIES || findings.every(({ ok }) => ok)) return findings;
  }
}

/** One way, of a frame of so many bytes. */
function pingTime({ latency, transmission = nanosPerByte(0) }: Path, bytes: number): Micros {
  return micros(latency + timeToTransmit(bytes, transmission));
}

function nameOf({ from, to }: Flow): string {
  return `${from.name} > ${to.name}`;
}

/** Standard error of a mean round-trip time: packets close together have the same jitter and count as one sample. */
function jitterErrorMs(path: Path, back: Path, received: number, durationMs: number): number {
  const slowest = toMillis(micros(Math.max(path.jitter, back.jitter)));
  if (slowest === 0) return 0;
  const samples = Math.max(1, Math.min(received, durationMs / (INTERVAL_DEVIATIONS * slowest)));
  return toMillis(micros(Math.hypot(path.jitter, back.jitter))) / Math.sqrt(samples);
}
