/** A path: what was asked for beside what is measured, as numbers and as charts. */
import { useEffect, useState } from 'preact/hooks';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';
import { endpointPath, experimentPath, get, post } from '../data/api.ts';
import { latency, milliseconds, percent, rate } from '../data/format.ts';
import type { Live } from '../data/live.ts';
import { State } from '../parts/parts.tsx';
import { Chart } from './chart.tsx';

type Path = AnswerOf<'getPaths'>[number];

/** Between pings, and how many are sent in one go. */
const PAUSE_MS = 500;
const PINGS = ['ping', '-q', '-c', '4', '-i', '0.2', '-W', '3'];

interface PathProps {
  readonly live: Live;
  readonly from: string;
  readonly to: string;
  readonly theme: string;
}

export function PathPanel({ live, from, to, theme }: PathProps) {
  const [paths, setPaths] = useState<{ readonly there?: Path; readonly back?: Path }>({});
  const [isPinging, setPinging] = useState(false);
  const [problem, setProblem] = useState('');
  const epoch = live.topology?.epoch;
  const pair = `${from}>${to}`;
  // Paths change with the epoch.
  useEffect(() => {
    let isOver = false;
    const read = async (a: string, b: string): Promise<Path | undefined> => {
      const query = `?from=${encodeURIComponent(a)}&to=${encodeURIComponent(b)}`;
      const rows = await get('getPaths', experimentPath(live.name, `/paths${query}`));
      return rows.find((row) => row.from === a && row.to === b);
    };
    Promise.all([read(from, to), read(to, from)]).then(
      ([there, back]) => {
        if (!isOver) setPaths({ ...(there && { there }), ...(back && { back }) });
      },
      (error: Error) => {
        if (!isOver) setProblem(error.message);
      },
    );
    return () => {
      isOver = true;
    };
  }, [live, from, to, epoch]);
  const { there, back } = paths;
  const targetMs =
    there?.smallPacketMs === undefined || back?.smallPacketMs === undefined
      ? null
      : there.smallPacketMs + back.smallPacketMs;
  useEffect(() => {
    if (!isPinging) return;
    let isOver = false;
    let timer: number | undefined;
    const measure = async (): Promise<void> => {
      try {
        const { stdout, stderr, code } = await post('exec', endpointPath(live.name, from, '/exec'), {
          command: [...PINGS, to],
          timeout: '20s',
        });
        if (isOver) return;
        const ms = meanOf(stdout);
        live.trail.measured(pair, live.nowMs ?? 0, targetMs, ms);
        setProblem(ms === null && code > 1 ? stderr || 'ping can not run there' : '');
      } catch (error) {
        if (!isOver) setProblem((error as Error).message);
      }
      if (!isOver) timer = window.setTimeout(measure, PAUSE_MS);
    };
    void measure();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [isPinging, live, from, to, pair, targetMs]);
  const flow = live.state.flows.get(pair);
  const seen = live.trail.roundTrips.get(pair);
  const measured = seen?.lastSeen(1) ?? null;
  return (
    <div class="path">
      {there?.reachable === false ? (
        <p>
          <State tone="bad">There is no path now.</State>
        </p>
      ) : (
        <dl class="facts">
          <dt>Round trip</dt>
          <dd data-testid="round-trip">
            {measured === null ? 'not measured' : `${milliseconds(measured)} measured`}
            {targetMs !== null && `, ${milliseconds(targetMs)} asked`}
          </dd>
          <dt>One way</dt>
          <dd>
            {there?.latencyMs === undefined ? '…' : latency(there.latencyMs)}
            {(there?.jitterMs ?? 0) > 0 && ` ± ${latency(there!.jitterMs!)}`}, loss{' '}
            {percent(there?.loss ?? 0)}
          </dd>
          <dt>Rate</dt>
          <dd>
            {rate(flow?.rateBps ?? 0)} of {rate(flow ? flow.shareBps : (there?.bandwidthBps ?? null))}
            {flow && `, limited by ${flow.limitedBy ?? (flow.greedy ? 'nothing' : 'its own demand')}`}
          </dd>
          <dt>Links</dt>
          <dd>{there?.links?.join(' · ') ?? '…'}</dd>
        </dl>
      )}
      {problem !== '' && <p class="note bad">{problem}</p>}
      <Chart
        label="Round trip"
        theme={theme}
        series={seen}
        format={milliseconds}
        lines={[
          { label: 'asked', kind: 'asked' },
          { label: 'measured', kind: 'points' },
        ]}
      >
        <button type="button" aria-pressed={isPinging} onClick={() => setPinging(!isPinging)}>
          {isPinging ? 'Stop pinging' : 'Measure by ping'}
        </button>
      </Chart>
      <Chart
        label="Rate"
        theme={theme}
        series={live.trail.rates.get(pair)}
        format={rate}
        lines={[
          { label: 'rate', kind: 'measured' },
          { label: 'share', kind: 'asked' },
        ]}
      />
    </div>
  );
}

/** Of `rtt min/avg/max/mdev = 30.1/30.3/30.6/0.2 ms`; busybox has no mdev. null: none came back. */
function meanOf(output: string): number | null {
  const found = /min\/avg\/max(?:\/mdev)? = [\d.]+\/([\d.]+)\//.exec(output)?.[1];
  return found === undefined ? null : Number(found);
}
