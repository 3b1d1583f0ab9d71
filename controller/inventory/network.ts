/** The real network between hosts, as measured: the text of a file → `Way[]`. Pure. */
import type { z } from 'zod';
import { type Bps, type Micros, micros, type Ratio } from '../../proto/units.ts';
import { type Path, YamlDocument } from '../../topology/formats/native/yaml/document.ts';
import { Findings, quote } from '../../topology/model/diagnostics.ts';
import { Suggestions } from '../../topology/model/names.ts';
import { isMapping } from './ansible.ts';
import { reportIssues } from './issues.ts';
import { EXPECTED, networkSchema } from './schema.ts';

/** What the real network gives from a host to another. Absent: it was not measured. */
export interface Way {
  readonly from: string;
  readonly to: string;
  /** Half of a round trip. */
  readonly latency?: Micros;
  readonly loss?: Ratio;
  readonly bandwidth?: Bps;
}

/** Characters; a way takes some hundred. */
const MAX_NETWORK_LENGTH = 16 * 1024 * 1024;
const TOP = { line: 1, column: 1 };

type Given = z.infer<typeof networkSchema>['ways'][number];

/**
 * In the order of the file; `between` is two of them. `hosts`: names of the inventory. Throws `TopologyError` with every error
 * found, each with its line, field and remedy.
 */
export function readNetwork(text: string, file: string, hosts: readonly string[]): Way[] {
  const findings = new Findings(file);
  const ways = read(text, new Set(hosts), findings);
  findings.settle();
  return ways;
}

function read(text: string, hosts: ReadonlySet<string>, findings: Findings): Way[] {
  if (text.length > MAX_NETWORK_LENGTH) {
    const message = `the file has ${text.length} characters, more than ${MAX_NETWORK_LENGTH}`;
    findings.error('FILE_TOO_LARGE', TOP, '', message, 'give a network of fewer hosts');
    return [];
  }
  const document = YamlDocument.parse(text, findings, 'network');
  if (!document) return [];
  if (!isMapping(document.value)) {
    findings.error('VALUE_INVALID', TOP, '', 'this is no network of hosts', EXPECTED.ways!);
    return [];
  }
  const parsed = networkSchema.safeParse(document.value);
  const field = (path: Path): string => document.field(path);
  if (!parsed.success) {
    const labels = { at: (path: Path) => document.at(path), field };
    reportIssues(parsed.error.issues, document.value, labels, findings);
    return [];
  }
  const suggestions = new Suggestions();
  return parsed.data.ways.flatMap((given, index): Way[] => {
    const path = ['ways', index];
    const ends = endsOf(given);
    const refuse = (message: string, remedy: string): Way[] => {
      findings.error('VALUE_INVALID', document.at(path), field(path), message, remedy);
      return [];
    };
    if (!ends) return refuse('its hosts are not named', 'write between: [host1, host2], or from and to');
    const unknown = ends.find((name) => !hosts.has(name));
    if (unknown !== undefined) {
      const remedy = suggestions.of(unknown, () => hosts, 'name hosts of the inventory');
      const message = `there is no host ${quote(unknown)} in the inventory`;
      findings.error('NAME_UNKNOWN', document.at(path), field(path), message, remedy);
      return [];
    }
    if (ends[0] === ends[1]) return refuse('it leads from a host to itself', 'name two hosts');
    return directions(given, ends);
  });
}

/** `between` alone, or both `from` and `to`. */
function endsOf({ between, from, to }: Given): readonly [string, string] | undefined {
  if (between) return from === undefined && to === undefined ? between : undefined;
  return from !== undefined && to !== undefined ? [from, to] : undefined;
}

function directions(
  { between, roundTrip, loss, bandwidth }: Given,
  [from, to]: readonly [string, string],
): Way[] {
  const gives = {
    ...(roundTrip !== undefined && { latency: micros(roundTrip / 2) }),
    ...(loss !== undefined && { loss }),
    ...(bandwidth !== undefined && { bandwidth }),
  };
  const there: Way = { from, to, ...gives };
  return between ? [there, { from: to, to: from, ...gives }] : [there];
}
