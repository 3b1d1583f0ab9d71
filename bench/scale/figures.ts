/** Processor time and error by the size of the topology. Pure. */
import { mean } from '../measure/statistics.ts';
import { publishedErrors } from '../published.ts';
import type { Figure } from '../report/model.ts';
import type { Series } from '../report/plot.ts';
import type { ScaleRun } from './model.ts';

export function figuresOf(runs: readonly ScaleRun[]): Figure[] {
  const line = (name: string, colour: number, of: (run: ScaleRun) => number): Series => ({
    name,
    colour,
    shape: 'lines',
    points: runs.map((run) => [run.nodes, of(run)] as const),
  });
  const common = { xTitle: 'nodes', marks: [] };
  const sizes = runs.map(({ nodes }) => nodes);
  const published: Series = {
    name: 'Kollaps 2.0, as published',
    colour: 1,
    shape: 'lines',
    points: publishedErrors(sizes),
  };
  return [
    {
      id: 'cpu',
      plot: {
        ...common,
        title: 'Processor time, scale-free topologies, everyone pings another every second',
        yTitle: '% of one core',
        series: [
          line('agent', 0, ({ steady }) => mean(steady.use.agents[0]!) * 100),
          line('agent, idle', 2, ({ idle }) => mean(idle.agents[0]!) * 100),
          line('ping', 4, ({ steady }) => mean(steady.use.traffic) * 100),
          line('the whole machine', 6, ({ steady }) => mean(steady.use.machine) * 100),
        ],
      },
    },
    {
      id: 'error',
      plot: {
        ...common,
        title: 'Mean squared error of round trips, scale-free topologies',
        yTitle: 'ms²',
        isLogarithmic: true,
        series: [
          line('netfold', 0, ({ steady }) => steady.error.meanSquaredMs2),
          line('this machine without netfold', 5, ({ unshaped }) => unshaped.error.meanSquaredMs2),
          ...(published.points.length > 0 ? [published] : []),
        ],
      },
    },
  ];
}
