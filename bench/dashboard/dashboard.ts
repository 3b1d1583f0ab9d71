/** The dashboard bench: what a page of a large network costs the server and the browser, and how soon it is there. */
import type { Interruption } from '../lab.ts';
import type { Table } from '../report/model.ts';
import { openDashboard } from './browser.ts';
import { playExperiment } from './experiment.ts';
import { type NetworkSize, playedNetwork } from './network.ts';
import { type Server, startServer } from './server.ts';
import { type Facts, tablesOf } from './table.ts';
import { watch } from './watch.ts';

const SIZE: NetworkSize = { nodes: 4000, flows: 500, hosts: 2 };
/** The page keeps five minutes of every flow, which it has to fill first. */
const WHOLE = { pages: 5, warmMs: 6 * 60_000, watchMs: 10 * 60_000 };
const QUICK = { pages: 2, warmMs: 15_000, watchMs: 40_000 };

export interface DashboardOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `MACHINE_FAILED` without Chromium, `COMMAND_FAILED`, `INTERRUPTED`, and system errors without root. */
export async function measureDashboard(options: DashboardOptions): Promise<Table[]> {
  const network = playedNetwork(SIZE);
  const experiment = await playExperiment(`bench-${process.pid}-dashboard`, network);
  try {
    const server = await startServer(options.interruption);
    try {
      return tablesOf(await measure(server, experiment.name, options), SIZE);
    } finally {
      await server.stop();
    }
  } finally {
    experiment.stop();
  }
}

async function measure(
  server: Server,
  experiment: string,
  { quick, interruption, say }: DashboardOptions,
): Promise<Facts> {
  const { pages, warmMs, watchMs } = quick ? QUICK : WHOLE;
  const dashboard = await openDashboard(server, { experiment, flows: SIZE.flows });
  try {
    const open = (): Promise<number> => interruption.race(() => dashboard.open());
    const firstPicture = await open();
    const pictures: number[] = [];
    for (let page = 0; page < pages; page++) pictures.push(await open());
    say(
      `first picture: ${[firstPicture, ...pictures].map((seconds) => `${seconds.toFixed(2)} s`).join(', ')}`,
    );
    await dashboard.leave();
    const countsFromMs = Date.now() + warmMs;
    const samples = await watch({
      ...{ server: server.pid, forMs: warmMs + watchMs, interruption },
      taken: ({ atMs, serverBytes, browserBytes }) => {
        const megabytes = [browserBytes, serverBytes].map((bytes) => `${Math.round(bytes / 1e6)} MB`);
        say(`${Math.round(atMs / 1000)} s: browser ${megabytes[0]}, server ${megabytes[1]}`);
      },
    });
    const { complaints, heard } = await dashboard.notes();
    return {
      ...{ firstPicture, pictures, complaints },
      samples: samples.filter(({ atMs }) => atMs >= warmMs),
      heard: heard.filter(({ atMs }) => atMs >= countsFromMs),
    };
  } finally {
    await dashboard.close();
  }
}
