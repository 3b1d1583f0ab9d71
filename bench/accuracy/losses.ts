/** Losses of 0.8, 2.5 and 12 %, over enough packets that chance does not decide. */
import { setTimeout as sleep } from 'node:timers/promises';
import { formatRatio } from '../../proto/units.ts';
import type { Lab } from '../lab.ts';
import { lossUncertainty, packetsFor } from '../measure/statistics.ts';
import { udpCount } from '../measure/traffic/udp-counters.ts';
import { UdpStream } from '../measure/traffic/udp-traffic.ts';
import { judge, type Target, tried } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import type { Context } from './context.ts';

const LOSSES = [0.008, 0.025, 0.12];
const BOUND = 0.02;
/** Half of the 99 % interval for which the number of packets is chosen: well inside the bound. */
const UNCERTAINTY = 0.016;
/** Either backend, and a sender on one core, can carry more than this without a growing queue. */
const PACKETS_PER_SECOND = 50_000;
const PAYLOAD_BYTES = 64;
/** Until the last packet is counted; the path has 1 ms. */
const DRAIN_MS = 500;

export async function losses(context: Context): Promise<Table> {
  const text = `services: { ${LOSSES.map((_, i) => `a${i}: {}, b${i}: {}`).join(', ')} }
links:
${LOSSES.map((loss, i) => `  - { from: a${i}, to: b${i}, latency: 1ms, loss: ${formatRatio(loss)}, oneway: true }\n  - { from: b${i}, to: a${i}, latency: 1ms, oneway: true }`).join('\n')}
`;
  const rows = await context.withLab(text, async (lab) => {
    const all: Row[] = [];
    for (const [pair, loss] of LOSSES.entries()) {
      context.say(
        `loss of ${formatRatio(loss)}, ${packetsFor(loss, UNCERTAINTY).toLocaleString('en')} packets`,
      );
      all.push(await tried(() => lossRow(lab, loss, pair, context.effort.lossSeconds)));
    }
    return all;
  });
  return {
    id: 'losses',
    title: 'loss',
    backend: context.backend,
    source: 'Netbed (White et al., OSDI 2002), table 3',
    method:
      'UDP with 64 bytes of payload over a path without bandwidth limit; both kernels count what is sent and what arrives. Where the packets are too few for the bound, the bound is the 99 % interval of chance.',
    sampled: 'packets sent',
    rows,
  };
}

async function lossRow({ place }: Lab, loss: number, pair: number, seconds: number): Promise<Row> {
  const flow = { from: place(`a${pair}`), to: place(`b${pair}`) };
  const before = { from: udpCount(flow.from), to: udpCount(flow.to) };
  const count = packetsFor(loss, UNCERTAINTY);
  const offer = { payloadBytes: PAYLOAD_BYTES, perSecond: PACKETS_PER_SECOND, count };
  await new UdpStream(flow, offer).within(seconds);
  await sleep(DRAIN_MS);
  const sent = udpCount(flow.from).sent - before.from.sent;
  const arrived = udpCount(flow.to).arrived - before.to.arrived;
  const measured = 1 - arrived / sent;
  return judge(lossTarget(loss, sent), { measured, spread: null, samples: sent });
}

export function lossTarget(loss: number, packets: number): Target {
  const bound = { kind: 'relative', value: Math.max(BOUND, lossUncertainty(loss, packets)) } as const;
  return { what: formatRatio(loss), unit: 'ratio', target: loss, bound };
}
