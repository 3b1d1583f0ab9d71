/** Hosts that die, stand still or lose each other, in a seeded order: afterwards all agents agree, and on the truth. */
import { expect, it, onTestFinished } from 'vitest';
import { describeOutcome, HOST_NAMES, possibleKinds, runFaults } from '../../../bench/faults/faults.ts';
import { HostDates } from '../../../bench/faults/host-dates.ts';
import { planFaults } from '../../../bench/faults/plan.ts';
import { onSmallDisk } from '../../../bench/faults/small-disk.ts';
import { FAULTS_TOPOLOGY, HOSTS, SIZES } from '../../../bench/faults/topology.ts';
import { lab } from '../../../controller/platform/lab/lab.ts';
import { place, startLab } from '../../support/lab/lab.ts';

const SEED = 5;
/** Half of the kinds, one after the other; fault-kinds.test.ts has each alone, `npm run bench -- faults` 221. */
const FAULTS = 8;

it(`agents agree after each of ${FAULTS} faults, seed ${SEED}`, { timeout: 900_000 }, async () => {
  const dates = new HostDates(HOST_NAMES);
  onTestFinished(() => dates.stop());
  const experiment = await startLab(FAULTS_TOPOLOGY, { hosts: HOSTS, platform: onSmallDisk(lab) });
  const running = { experiment, place: (name: string) => place(experiment, name) };
  const faults = planFaults(FAULTS, SEED, SIZES, possibleKinds());
  const outcomes = await runFaults({ faults, seed: SEED, dates, say: () => {} }, running);
  // How long it takes is a matter of the bench: four agents that start at once take 3 s on one machine and 25 s on another.
  const never = outcomes.filter(({ agreementMs }) => !Number.isFinite(agreementMs));
  expect(never.map(describeOutcome)).toEqual([]);
  expect(outcomes).toHaveLength(FAULTS);
});
