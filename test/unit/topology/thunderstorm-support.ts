/** Topologies, and scripts beside them. */
import { type Diagnostic, loadTopology, TopologyError } from '../../../topology/load.ts';
import type { TimelineRow } from '../../../topology/report/timeline.ts';
import { timelineRows } from '../../../topology/report/timeline.ts';

export const YAML = `services:
  client: { replicas: 6, tags: [edge] }
  server: { replicas: 3, tags: [edge, core] }
bridges: { s1: {}, s2: { tags: [core] } }
links:
  - { from: client, to: s1, latency: 5ms, jitter: 1ms, up: 10Mbps, down: 20Mbps }
  - { from: s1, to: s2, latency: 10ms, jitter: 2ms, up: 60Mbps, down: 30Mbps, tags: [trunk, core] }
  - { from: server, to: s2, latency: 1ms, up: 80Mbps, down: 40Mbps }
`;
export const XML = `<experiment>
  <services>
    <service name="dashboard" image="d" supervisor="true"/>
    <service name="client" image="i" tags="edge"/><service name="server" image="i" tags="edge" reuse="false"/>
  </services>
  <bridges><bridge name="s1"/></bridges>
  <links>
    <link origin="client" dest="s1" latency="1" upload="10Mbps" download="4Mbps"/>
    <link origin="server" dest="s1" latency="2" upload="20Mbps" download="8Mbps"/>
    <link origin="dashboard" dest="s1" latency="1" upload="1Mbps" download="2Mbps"/>
  </links>
  <dynamic><schedule name="server" time="0" action="join" amount="2"/></dynamic>
</experiment>`;

export const load = (lines: readonly string[], text = YAML, file = 'net.yaml') =>
  loadTopology(text, file, { file: 'storm.tdl', text: lines.join('\n') });
export const rows = (...lines: string[]): string[] => timelineRows(load(lines).topology).map(rowText);
export const rowText = ({ atMs, verb, target, detail }: TimelineRow): string =>
  [`${atMs / 1000}`, verb, target, detail].filter((one) => one !== undefined).join(' ');

export function diagnostics(lines: readonly string[], text = YAML, file = 'net.yaml'): readonly Diagnostic[] {
  try {
    load(lines, text, file);
  } catch (error) {
    if (error instanceof TopologyError)
      return error.diagnostics.filter(({ severity }) => severity === 'error');
    throw error;
  }
  throw new Error('the script was accepted');
}
