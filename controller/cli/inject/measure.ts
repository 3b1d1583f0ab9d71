/** `netfold inject --inventory HOSTS measure`: the real network between hosts, as `netfold place --network` reads it. */
import { formatMicros, formatRatio } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { type MeasuredWay, measureNetwork } from '../../inject/measure.ts';
import { print, printJson, step, warn } from '../terminal/output.ts';
import { failOn, type OnHosts } from './injection.ts';

/** Prints what was measured, also where some hosts have not answered. */
export async function measure({ connections, inventory, flags }: OnHosts): Promise<void> {
  const { ways, unknown, outcomes } = await measureNetwork(
    connections,
    inventory.hosts,
    ({ host, value, error }) => {
      if (error) warn(`${error.message}${error.remedy === undefined ? '' : ` (${error.remedy})`}`);
      else step(`${host}: ${value!.address}`);
    },
  );
  const entries = ways.map(entryOf);
  if (flags.json) printJson({ ways: entries });
  else {
    print(
      `# The real network between ${count(inventory.hosts.length, 'host')}: least round trips, losses of a direction.`,
    );
    print('# Bandwidths are not measured: add e.g. bandwidth: 200Mbps. For netfold place --network.');
    print(entries.length === 0 ? 'ways: []' : 'ways:');
    for (const entry of entries) print(`  - ${textOf(entry)}`);
  }
  for (const [one, other] of unknown)
    warn(
      `${one} and ${other}: the round trip could not be measured (does ${one} have ping, and may it reach ${other}?)`,
    );
  failOn(outcomes);
}

interface Entry {
  readonly between: readonly [string, string];
  readonly roundTrip: string;
  readonly loss?: string;
}

function entryOf({ between, roundTrip, loss }: MeasuredWay): Entry {
  return {
    between,
    roundTrip: formatMicros(roundTrip),
    ...(loss !== undefined && { loss: formatRatio(loss) }),
  };
}

/** Names in quotes: some look like numbers, or like yes and no. */
function textOf({ between, roundTrip, loss }: Entry): string {
  const names = between.map((name) => JSON.stringify(name)).join(', ');
  return `{ between: [${names}], roundTrip: ${roundTrip}${loss === undefined ? '' : `, loss: ${loss}`} }`;
}
