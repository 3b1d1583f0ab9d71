/** Hosts that die, stand still or lose each other, in a seeded order: afterwards all agents agree, and on the truth. */
import { expect, it, onTestFinished } from 'vitest';
import { describeOutcome, HOST_NAMES, runFaults } from '../../../bench/faults/faults.ts';
import { HostDates } from '../../../bench/faults/host-dates.ts';
import { planFaults } from '../../../bench/faults/plan.ts';
import { BOUND_MS } from '../../../bench/faults/table.ts';
import { FAULTS_TOPOLOGY, HOSTS } from '../../../bench/faults/topology.ts';
import { place, startLab } from '../../support/lab/lab.ts';

const SEED = 5;
/** Two of each kind; `npm run bench -- faults` has 216. */
const FAULTS = 16;

it(`agents agree after each of ${FAULTS} faults, seed ${SEED}`, { timeout: 600_000 }, async () => {
  const dates = new HostDates(HOST_NAMES);
  onTestFinished(() => dates.stop());
  const experiment = await startLab(FAULTS_TOPOLOGY, { hosts: HOSTS });
  const lab = { experiment, place: (name: string) => place(experiment, name) };
  const faults = planFaults(FAULTS, SEED, HOSTS);
  const outcomes = await runFaults({ faults, seed: SEED, dates, say: () => {} }, lab);
  const late = outcomes.filter(({ agreementMs }) => !(agreementMs < BOUND_MS));
  expect(late.map(describeOutcome)).toEqual([]);
  expect(outcomes).toHaveLength(FAULTS);
});
