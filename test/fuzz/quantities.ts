/** Values with units, and other short texts within a line. */
import { parseDistance, parseLossModel, parseQuantiles, parseSlots } from '../../proto/models.ts';
import { parseQueue } from '../../proto/queue.ts';
import { parseRules, RULE_EXAMPLES, rulesOf } from '../../proto/rules.ts';
import {
  parseBandwidth,
  parseBytes,
  parseDuration,
  parseLatency,
  parseMemory,
  parsePercentage,
  UnitError,
} from '../../proto/units.ts';
import { type Target, textTarget } from './target.ts';

const QUANTITIES = [
  '10ms',
  '250us',
  '1.5s',
  '60Mbps',
  '1Gbps',
  '0.1%',
  '64KiB',
  '200 packets',
  '1m30s',
  '8 bps',
];

export const quantityTargets = (pieces: readonly string[]): Target[] => [
  textTarget({
    name: 'rules',
    seeds: RULE_EXAMPLES.concat(RULE_EXAMPLES.join('; ')),
    pieces,
    read: readRules,
    isCoded: (error) => error instanceof UnitError,
  }),
  textTarget({
    name: 'quantity',
    seeds: QUANTITIES,
    pieces,
    read: readQuantity,
    isCoded: (error) => error instanceof UnitError,
  }),
];

/** What is canonical is read as the same. */
function readRules(text: string): void {
  const canonical = parseRules(text);
  const again = rulesOf(canonical)
    .map((rule) => rule.text)
    .join('; ');
  if (parseRules(canonical) !== canonical || again !== canonical)
    throw new Error(`not canonical: ${canonical}`);
}

/** By every parser: any that takes it is content. */
function readQuantity(text: string): void {
  let last: unknown;
  let taken = false;
  for (const parse of [
    parseLatency,
    parseBandwidth,
    parseBytes,
    parseMemory,
    parsePercentage,
    parseDuration,
    parseQueue,
    parseLossModel,
    parseSlots,
    parseDistance,
    parseQuantiles,
  ]) {
    try {
      parse(text);
      taken = true;
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      last = error;
    }
  }
  if (!taken) throw last;
}
