/**
 * `lans:` → a bridge for each, and a link from each member to it: a leg. As in Emulab, half of a LAN's latency is on each leg, so that
 * it is that between two members, and its loss is that of two legs together; what a member says itself is its leg's.
 */
import {
  formatMicros,
  formatRatio,
  micros,
  parseLatency,
  parsePercentage,
  ratio,
  UnitError,
} from '../../../../proto/units.ts';
import { type Findings, quote } from '../../../model/diagnostics.ts';
import type { Part } from './include.ts';
import type { MatrixLink, MatrixResult } from './matrix.ts';
import { asMapping, below, fieldOf, type Origin, placeOf } from './origins.ts';
import { combinationCount, combinations } from './ranges.ts';
import type { Scope } from './variables.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Member {
  readonly name: string;
  readonly own: Fields;
  readonly origin: Origin;
}

/** Of one LAN. */
const MAX_MEMBERS = 10_000;

/** A value of a LAN → that of one leg. */
const OF_LEG: Readonly<Record<string, (text: string) => string>> = {
  latency: (text) => formatMicros(micros(Math.round(parseLatency(text) / 2))),
  loss: (text) => formatRatio(ratio(1 - Math.sqrt(1 - parsePercentage(text)))),
};

export class LanReader {
  readonly #scope: Scope;
  readonly #findings: Findings;

  constructor(scope: Scope, findings: Findings) {
    this.#scope = scope;
    this.#findings = findings;
  }

  read({ source }: Part): MatrixResult {
    const written = asMapping(source.value)?.lans;
    const origin: Origin = { source, path: ['lans'] };
    const lans = asMapping(written);
    if (written !== undefined && written !== null && !lans)
      this.#refuse(
        origin,
        'this is no mapping',
        'write e.g. lans: { office: { members: [a, b], latency: 1ms } }',
      );
    const bridges: { name: string; origin: Origin }[] = [];
    const links: MatrixLink[] = [];
    for (const [name, value] of Object.entries(lans ?? {})) {
      const at = below(origin, name);
      const lan = asMapping(value);
      if (lan?.members === undefined || lan.members === null) {
        this.#refuse(at, `the LAN ${quote(name)} has no members`, 'write e.g. members: [a, b]');
        continue;
      }
      bridges.push({ name, origin: at });
      const { members, ...all } = lan;
      const legs = this.#values(all, at);
      for (const member of this.#members(members, below(at, 'members')))
        links.push(legOf(name, member, { fields: legs, origin: at }));
    }
    return { bridges, links };
  }

  /** With its variables, and latency and loss as they are on each leg. */
  #values(all: Fields, at: Origin): Fields {
    return Object.fromEntries(
      Object.entries(all).map(([key, value]) => {
        const one = this.#scope.field(key, value, below(at, key));
        return [key, typeof one === 'string' ? ofLeg(key, one) : one];
      }),
    );
  }

  #members(written: unknown, origin: Origin): Member[] {
    const mapping = asMapping(written);
    if (!mapping && !Array.isArray(written)) {
      this.#refuse(
        origin,
        'these are no members',
        'write e.g. members: [a, b], or members: { a: { bandwidth: 10Mbps } }',
      );
      return [];
    }
    const entries = mapping
      ? Object.entries(mapping)
      : (written as unknown[]).map((one) => [one, {}] as const);
    return entries.flatMap(([text, settings], index): Member[] => {
      const at = below(origin, mapping ? String(text) : index);
      const own = asMapping(settings ?? {});
      if (typeof text !== 'string' || !own) {
        this.#refuse(
          at,
          'this is no member of a LAN',
          'write the name of a service or bridge, and what its leg has',
        );
        return [];
      }
      const name = this.#scope.text(text, at, 'strict');
      if (combinationCount([name]) > MAX_MEMBERS) {
        this.#refuse(at, `the range has more than ${MAX_MEMBERS} names`, 'use replicas');
        return [];
      }
      return [...combinations([name])].map(({ texts, indices }) => {
        const scope = this.#scope.within(indices, []);
        const fields = Object.entries(own).map(([key, value]) => [
          key,
          scope.field(key, value, below(at, key)),
        ]);
        return { name: texts[0]!, own: Object.fromEntries(fields), origin: at };
      });
    });
  }

  #refuse(origin: Origin, message: string, remedy: string): void {
    this.#findings.error('VALUE_INVALID', placeOf(origin), fieldOf(origin), message, remedy);
  }
}

/** What is wrong with it, the schema says. */
function ofLeg(key: string, text: string): string {
  const convert = Object.hasOwn(OF_LEG, key) ? OF_LEG[key] : undefined;
  try {
    return convert?.(text) ?? text;
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return text;
  }
}

function legOf(
  lan: string,
  { name, own, origin }: Member,
  all: { readonly fields: Fields; readonly origin: Origin },
): MatrixLink {
  const fields: Record<string, unknown> = { from: name, to: lan, ...all.fields, ...own };
  const { bandwidth } = all.fields;
  // A rate of one direction leaves the other one as the LAN says.
  if (
    (own.up !== undefined || own.down !== undefined) &&
    own.bandwidth === undefined &&
    bandwidth !== undefined
  ) {
    delete fields.bandwidth;
    for (const way of ['up', 'down'] as const) {
      const settings = asMapping(fields[way]);
      fields[way] = settings ? { bandwidth, ...settings } : (fields[way] ?? bandwidth);
    }
  }
  const originOf = (key: string): Origin => below(Object.hasOwn(own, key) ? origin : all.origin, key);
  const origins = Object.keys(fields).map((key): [string, Origin] => [key, originOf(key)]);
  return { fields, origins: new Map(origins).set('from', origin).set('to', all.origin), origin };
}
