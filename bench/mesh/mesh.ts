/**
 * The mesh bench: what agents send to each other, by the number of agents and of changes; and how soon all agents
 * know a change.
 */

import { millisToSeconds } from '../../proto/units.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { BenchError } from '../errors.ts';
import type { Figure, Table } from '../report/model.ts';
import { Crowd, type Member } from './crowd.ts';
import { type CrowdRun, type FlowsRun, figureOf, tablesOf } from './tables.ts';

const SEED = 17;
const HOSTS = [4, 8, 16, 32, 64, 128, 256, 512];
const FEW_HOSTS = [4, 16, 64];
/** For the table of competing flows: so many hosts. */
const FLOW_HOSTS = 16;
const FLOWS = [1, 10, 100, 1000];
const FEW_FLOWS = [1, 100];

/** Heartbeats of new hosts are forwarded for ten seconds, and clocks are compared. */
const SETTLE_MS = 12_000;
const STEADY_MS = 10_000;
const CHURN_MS = 5000;
/** Which part of an agent's flows changes each second. */
const CHANGES_PER_SECOND = 0.2;
const CHANGED_PART = 0.01;
const MOST_MS = 20_000;

/** Needs no root: time and network are simulated. Throws `RESULT_WRONG` if agents do not reach agreement. */
export async function measureMesh(
  quick: boolean,
  sizes: readonly number[] | undefined,
  say: (text: string) => void,
): Promise<{ tables: Table[]; figures: Figure[] }> {
  const runs: CrowdRun[] = [];
  for (const hosts of sizes ?? (quick ? FEW_HOSTS : HOSTS)) {
    say(`${hosts} agents`);
    runs.push(await measureHosts(hosts));
  }
  const flows: FlowsRun[] = [];
  for (const count of sizes ? [] : quick ? FEW_FLOWS : FLOWS) {
    say(`${FLOW_HOSTS} agents with ${count} flows each`);
    flows.push(await measureFlows(count));
  }
  return { tables: tablesOf(runs, flows), figures: runs.length > 1 ? [figureOf(runs)] : [] };
}

async function measureHosts(hosts: number): Promise<CrowdRun> {
  const crowd = new Crowd({ seed: SEED, endpoints: hosts + 1 });
  await crowd.startMany(hosts);
  const joinedMs = await agreed(crowd, `${hosts} agents that start`);
  await crowd.clock.advance(SETTLE_MS);
  const idle = await crowd.sentIn(STEADY_MS);
  changeFlows(crowd.present, 1, 1);
  const changedMs = await agreed(crowd, 'a flow of each');
  await crowd.clock.advance(SETTLE_MS / 2);
  const steady = await crowd.sentIn(STEADY_MS);
  const random = new SeededRandom(SEED);
  const churn = await crowd.sentIn(CHURN_MS, (second) => {
    const part = crowd.present.filter(() => random.next() < CHANGES_PER_SECOND / 10);
    changeFlows(part, 1, 2 + second);
  });
  await agreed(crowd, 'flows that change');
  await crowd.start();
  const lateMs = await agreed(crowd, 'a late one');
  await crowd.clock.advance(SETTLE_MS / 2);
  crowd.kill(crowd.members[Math.floor(hosts / 3)]!);
  const droppedMs = await agreed(crowd, 'a death');
  return { hosts, idle, steady, churn, joinedMs, changedMs, lateMs, droppedMs, ...TIMES };
}

async function measureFlows(flows: number): Promise<FlowsRun> {
  const crowd = new Crowd({ seed: SEED, endpoints: FLOW_HOSTS + flows });
  await crowd.startMany(FLOW_HOSTS);
  changeFlows(crowd.present, flows, 1);
  await agreed(crowd, 'many flows');
  await crowd.clock.advance(SETTLE_MS);
  const steady = await crowd.sentIn(STEADY_MS);
  const changed = Math.max(1, Math.round(flows * CHANGED_PART));
  const churn = await crowd.sentIn(CHURN_MS, (second) => {
    if (Number.isInteger(second)) changeFlows(crowd.present, changed, 2 + second);
  });
  await agreed(crowd, 'flows that change');
  return { hosts: FLOW_HOSTS, flows, changed, steady, churn, ...TIMES };
}

const TIMES = { steadySeconds: millisToSeconds(STEADY_MS), churnSeconds: millisToSeconds(CHURN_MS) };

/** The first `count` flows of each agent get a rate that they never had before. */
function changeFlows(members: readonly Member[], count: number, round: number): void {
  for (const { mesh, endpoint: source } of members) {
    const flows = Array.from({ length: count }, (_, at) => ({
      source,
      destination: at < source ? at : at + 1,
      rateBps: 1e6 * (1 + at + 100 * round),
      greedy: at % 2 === 0,
    }));
    mesh.announceFlows(flows);
  }
}

async function agreed(crowd: Crowd, what: string): Promise<number> {
  const ms = await crowd.until(() => crowd.agree(), MOST_MS);
  if (ms !== undefined) return ms;
  throw new BenchError('RESULT_WRONG', `${crowd.present.length} agents don't agree about ${what}`);
}
