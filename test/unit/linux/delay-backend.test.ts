import { describe, expect, test } from 'vitest';
import {
  chooseDelayBackend,
  requireChange,
  requireImpairments,
  UnsupportedNow,
} from '../../../agent/linux/delay/delay-backend.ts';
import { Netem } from '../../../agent/linux/delay/netem.ts';
import type { Ability } from '../../../agent/linux/probe/probe.ts';
import { impairment, packetImpairment } from '../../../proto/impairment.ts';
import { ratio } from '../../../proto/units.ts';
import { parseAction } from '../../../topology/events/grammar.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import { FakeTc } from '../../support/fakes/fake-tc.ts';

function ability(id: Ability['id'], ok: boolean): Ability {
  const reason = ok ? '' : `the kernel refused ${id}: ENOENT`;
  const remedy = ok ? '' : `modprobe for-${id}`;
  const common = { name: id, neededFor: 'delays', need: 'one of', found: '', remedies: [] } as const;
  return { id, ok, tried: true, reason, remedy, ...common };
}

const kernel = (netem: boolean, nfqueue: boolean): Ability[] => [
  ability('htb', true),
  ability('netem', netem),
  ability('nfqueue', nfqueue),
];

describe('the delay backend', () => {
  test.each([
    ['auto', true, true, 'netem'],
    ['auto', false, true, 'delay-line'],
    ['auto', true, false, 'netem'],
    ['netem', true, true, 'netem'],
    ['delay-line', true, true, 'delay-line'],
    ['delay-line', false, true, 'delay-line'],
  ] as const)('for "%s", with netem %s and NFQUEUE %s, is %s', (choice, netem, nfqueue, expected) => {
    expect(chooseDelayBackend(choice, kernel(netem, nfqueue))).toBe(expected);
  });

  test.each([
    ['netem', false, true, /netem.*ENOENT/, /--delay-backend delay-line.*\n.*modprobe for-netem/s],
    ['delay-line', true, false, /nfqueue: .*ENOENT/, /--delay-backend netem.*\n.*modprobe for-nfqueue/s],
    ['auto', false, false, /netem: .*; nfqueue: /, /^modprobe for-netem\nor: modprobe for-nfqueue$/],
    ['netem', false, false, /netem/, /^modprobe for-netem$/],
  ] as const)(
    'for "%s", with netem %s and NFQUEUE %s, is an error',
    (choice, netem, nfqueue, message, remedy) => {
      expect(() => chooseDelayBackend(choice, kernel(netem, nfqueue))).toThrow(
        expect.objectContaining({
          code: 'DELAY_BACKEND_MISSING',
          blame: 'machine',
          message: expect.stringMatching(message),
          remedy: expect.stringMatching(remedy),
        }),
      );
    },
  );
});

describe('what a link has', () => {
  const plain = packetImpairment({
    loss: ratio(0.1),
    lossModel: 'bursts 1% of 5 packets',
    corrupt: ratio(0.1),
  });
  const link = (changes: object) => [
    { from: 'a', to: 's1', up: plain, down: impairment({ ...plain, ...changes }) },
  ];

  test.each([
    [{ lossModel: 'every 5 packets' }, 'loss_model: every 5 packets'],
    [{ duplicate: ratio(0.1) }, 'duplicate'],
    [{ jitterCorrelation: ratio(0) }, 'jitter_correlation'],
    [{ reorder: ratio(0.1), reorderDistance: 3 }, 'reorder_distance'],
    [{ rules: 'drop only icmp; delay 20ms only tcp' }, 'rules: delay 20ms only tcp'],
  ])('netem refuses by name: %o', (changes, name) => {
    expect(() => requireImpairments('delay-line', { links: link(changes) })).not.toThrow();
    expect(() => requireImpairments('netem', { links: link(changes) })).toThrow(
      expect.objectContaining({
        code: 'IMPAIRMENT_UNSUPPORTED',
        message: expect.stringMatching(`a--s1 has: ${name}`),
        remedy: expect.stringContaining('--delay-backend delay-line'),
      }),
    );
  });

  test('netem does the rest', () => {
    const rest = { reorder: ratio(0.1), slots: '5ms', quantiles: '1 2 3 4 5 6 7 8', rules: 'drop only icmp' };
    expect(() => requireImpairments('netem', { links: link(rest) })).not.toThrow();
  });
});

describe('what an event or a command gives a link', () => {
  const topologyWith = (line: string) =>
    loadTopology(`services: { a: {}, b: {} }\nlinks: [{ from: a, to: b }]\n${line}\n`, 'x.yaml').topology;
  const refused = (line: string) =>
    expect.objectContaining({ code: 'IMPAIRMENT_UNSUPPORTED', message: expect.stringContaining(line) });

  test.each([
    ['duplicate=1%', 'duplicate'],
    ['duplicate=+1%', 'duplicate'],
    ['loss_model="every 5 packets"', 'loss_model: every 5 packets'],
    ['jitter_correlation=0%', 'jitter_correlation'],
    ['reorder_distance=3packets', 'reorder_distance'],
    ['rules="delay 20ms"', 'rules: delay 20ms'],
  ])('netem refuses %s by name', (change, name) => {
    const file = topologyWith(`events: ['at 1s set a--b ${change}']`);
    expect(() => requireImpairments('delay-line', file)).not.toThrow();
    expect(() => requireImpairments('netem', file)).toThrow(refused(`line 3 of x.yaml sets: ${name}`));
    const steps = topologyWith(`sequences: { s: { steps: ['wait 1s', 'set a--b ${change}'] } }`);
    expect(() => requireImpairments('netem', steps)).toThrow(refused(`sets: ${name}`));
    const action = parseAction(`set a--b ${change}`, false, new Findings('x'))!;
    expect(() => requireChange('delay-line', action)).not.toThrow();
    expect(() => requireChange('netem', action)).toThrow(refused(name));
  });

  test('what is switched off, netem can', () => {
    const off =
      'set a--b duplicate=none loss_model=none jitter_correlation=none slots=5ms corrupt=1% rules=reset';
    const file = topologyWith(`events: ['at 1s ${off}']`);
    expect(() => requireImpairments('netem', file)).not.toThrow();
    expect(() => requireChange('netem', parseAction(off, false, new Findings('x')))).not.toThrow();
  });

  test('what is in force all the same is named once, until it is gone', () => {
    const { links } = expandGraph(topologyWith(''));
    const twice = links.map((one) => ({ ...one, duplicate: ratio(0.1) }));
    const now = new UnsupportedNow('netem');
    expect(now.of(links)).toEqual([]);
    expect(now.of(twice)).toEqual([
      expect.stringMatching(/what a\.0->b\.0 has: duplicate.*, and 1 more link$/),
    ]);
    expect(now.of(links)).toEqual([]);
    expect(new UnsupportedNow('delay-line').of(twice)).toEqual([]);
  });
});

test('netem reports what went through all interfaces', async () => {
  const tc = new FakeTc();
  const netem = new Netem(tc, true);
  const stats = [
    { waiting: 9, held: 4, passed: 100, lost: 7, overflowed: 1 },
    { waiting: 1, held: 1, passed: 20, lost: 0, overflowed: 0 },
  ];
  tc.stats = ({ number }) => stats[number]!;
  for (const number of [0, 1]) {
    const endpoint = {
      number,
      name: `a.${number}`,
      namespace: '/none',
      ifname: 'eth0',
      ifindex: 2,
      addresses: [],
    };
    await netem.attach(endpoint, false);
  }
  expect(netem.counters()).toEqual({ packets: 127, lost: 7, held: 5, latestMs: 0 });
});
