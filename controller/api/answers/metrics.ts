/** `GET /metrics`: of this server, and of all agents of its machine. Nothing is kept between two answers. */
import type { MetricName, Sample } from '../../../proto/metrics/table.ts';
import { exposition } from '../../../proto/metrics/text.ts';
import { micros, toSeconds } from '../../../proto/units.ts';

/** The experiments of this machine. `state` throws for one that ends or begins just now, `ask` if an agent does not answer soon. */
export interface Agents {
  list(): Promise<readonly { readonly name: string }[]>;
  state(name: string): Promise<{ readonly hosts: readonly { readonly name: string }[] }>;
  ask(experiment: string, host: string, path: string): Promise<unknown>;
}

export interface ServerFacts {
  readonly version: string;
  /** WebSockets that are open. */
  readonly streams: number;
}

/** As Prometheus reads it. Who does not answer has `netfold_agent_up` 0, and nothing else. */
export async function metricsOf(agents: Agents, facts: ServerFacts): Promise<string> {
  const listed = await agents.list();
  const found = await Promise.all(listed.map(({ name }) => samplesOf(agents, name)));
  return exposition([...ofServer(listed.length, facts), ...found.flat()]);
}

function ofServer(experiments: number, { version, streams }: ServerFacts): Sample[] {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const sample = (name: MetricName, value: number, labels: Sample['labels'] = {}): Sample => ({
    ...{ name, labels, value },
  });
  return [
    sample('netfold_info', 1, { version }),
    sample('netfold_experiments', experiments),
    sample('netfold_api_streams', streams),
    sample('process_cpu_seconds_total', toSeconds(micros(userCPUTime + systemCPUTime))),
    sample('process_resident_memory_bytes', process.memoryUsage.rss()),
  ];
}

/** None of one that ends or begins just now. */
async function samplesOf(agents: Agents, experiment: string): Promise<Sample[]> {
  const hosts = await agents.state(experiment).then(
    (state) => state.hosts,
    () => [],
  );
  const found = hosts.map(async ({ name: host }): Promise<Sample[]> => {
    const up = (value: number): Sample => ({ name: 'netfold_agent_up', labels: { experiment, host }, value });
    try {
      const samples = (await agents.ask(experiment, host, '/samples')) as Sample[];
      // Two experiments may have the same name on another machine: here, it is this machine's name that counts.
      return [up(1), ...samples.map((one) => ({ ...one, labels: { ...one.labels, experiment, host } }))];
    } catch {
      return [up(0)];
    }
  });
  return (await Promise.all(found)).flat();
}
