import { describe, expect, it } from 'vitest';
import {
  differences,
  findDisagreement,
  STICKS_LOOKS,
  STICKS_MS,
  Sticking,
  type Truth,
} from '../../../bench/faults/agreement.ts';
import { describeFault, KINDS, planFaults } from '../../../bench/faults/plan.ts';
import type { Outcome } from '../../../bench/faults/suite.ts';
import { tableOf } from '../../../bench/faults/table.ts';
import { judgeTelling } from '../../../bench/faults/telling.ts';
import { SIZES } from '../../../bench/faults/topology.ts';
import type { AgentView } from '../../../proto/view.ts';

describe('a plan of faults', () => {
  const faults = planFaults(459, 5, SIZES);

  it('has as many of each kind, the same from the same seed', () => {
    for (const kind of KINDS) expect(faults.filter((fault) => fault.kind === kind)).toHaveLength(27);
    expect(planFaults(459, 5, SIZES)).toEqual(faults);
    expect(planFaults(459, 6, SIZES)).not.toEqual(faults);
  });

  it('lasts from a tenth of a second to eight, with commands meanwhile', () => {
    const lengthsOf = (some: typeof faults): number[] =>
      some
        .flatMap(({ parts }) => parts.filter(({ what }) => what !== 'controller' && what !== 'date'))
        .map(({ fromMs, toMs }) => toMs - fromMs);
    const cuts = lengthsOf(faults.filter(({ kind }) => kind === 'cut'));
    const lasting = cuts.filter((ms) => ms > 8000);
    expect(lasting.length).toBeGreaterThan(1);
    expect(lasting.length).toBeLessThan(cuts.length / 3);
    expect(Math.min(...lasting)).toBeGreaterThanOrEqual(12_000);
    expect(Math.max(...lasting)).toBeLessThan(20_000);
    const lengths = lengthsOf(faults.filter(({ kind }) => kind !== 'cut'));
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(8000);
    expect(lengths.some((ms) => ms < 300)).toBe(true);
    expect(lengths.some((ms) => ms > 5000)).toBe(true);
    for (const { command, parts } of faults)
      if (command) expect(command.atMs).toBeLessThan(Math.max(...parts.map(({ toMs }) => toMs)));
    expect(faults.filter(({ command }) => command).length).toBeGreaterThan(80);
  });

  it('kills no agent twice at a time, and starts none without a controller', () => {
    for (const { kind, parts } of faults) {
      const killed = parts.flatMap((part) =>
        part.what === 'kill' || part.what === 'leave' ? [part.host] : [],
      );
      expect(new Set(killed).size).toBe(killed.length);
      if (kind !== 'controller') continue;
      const [controller, other] = parts as [(typeof parts)[number], (typeof parts)[number]];
      expect(controller.toMs).toBeLessThan(other.toMs);
      expect(controller.toMs).toBeGreaterThan(other.fromMs);
    }
  });

  it('sets dates forwards and back, by little and by much, and starts agents under wrong ones', () => {
    const dated = faults.filter(({ kind }) => kind === 'date');
    const steps = dated.flatMap(({ parts }) => parts.flatMap((part) => ('byMs' in part ? [part.byMs] : [])));
    for (const sign of [1, -1]) {
      expect(steps.some((ms) => ms * sign > 3_600_000)).toBe(true);
      expect(steps.some((ms) => ms * sign > 0 && ms * sign < 10_000)).toBe(true);
    }
    const withKill = dated.filter(({ parts }) => parts.some(({ what }) => what === 'kill'));
    expect(withKill.length).toBeGreaterThan(5);
    expect(withKill.length).toBeLessThan(dated.length - 5);
    for (const { parts } of withKill) {
      const [kill, date] = parts as [(typeof parts)[number], (typeof parts)[number]];
      expect('host' in kill && 'host' in date && kill.host === date.host).toBe(true);
      expect(date.fromMs).toBeLessThanOrEqual(kill.fromMs);
      expect(date.toMs).toBeGreaterThan(kill.toMs + 2000);
    }
  });

  it('cuts both ways, or one', () => {
    const ways = (kind: string) =>
      faults
        .filter((fault) => fault.kind === kind)
        .flatMap(({ parts }) => parts)
        .flatMap((part) => ('directions' in part ? [part.directions] : []));
    for (const directions of ways('cut'))
      for (const { from, to } of directions) expect(directions).toContainEqual({ from: to, to: from });
    const oneWay = ways('one-way').flat();
    expect(oneWay.every(({ from, to }) => from !== to)).toBe(true);
    const isReturned = (
      { from, to }: (typeof oneWay)[number],
      all: readonly (typeof oneWay)[number][],
    ): boolean => all.some((other) => other.from === to && other.to === from);
    expect(ways('one-way').some((all) => all.some((one) => !isReturned(one, all)))).toBe(true);
  });

  it('takes from endpoints once or again and again, from agents what they need, and stops a part of them', () => {
    const parts = faults.flatMap((fault) => fault.parts);
    const taken = parts.filter((part) => part.what === 'take');
    expect(new Set(taken.map(({ object }) => object)).size).toBe(3);
    expect(taken.some(({ everyMs }) => everyMs === undefined)).toBe(true);
    expect(taken.some(({ everyMs = 0 }) => everyMs > 0)).toBe(true);
    expect(Math.max(...taken.flatMap(({ endpoints }) => endpoints))).toBe(SIZES.endpoints - 1);
    expect(new Set(parts.flatMap((part) => (part.what === 'short' ? [part.of] : []))).size).toBe(3);
    expect(new Set(parts.flatMap((part) => (part.what === 'hang' ? [part.threads] : []))).size).toBe(2);
    for (const { kind, parts: all } of faults) if (kind === 'crowd') expect(all).toHaveLength(SIZES.hosts);
  });

  it('gives a command while the disk is full', () => {
    for (const { kind, parts, command } of faults) {
      if (kind !== 'disk') continue;
      const [{ what, fromMs, toMs }] = parts as [(typeof parts)[number]];
      expect(what).toBe('disk');
      expect(command!.atMs).toBeGreaterThan(fromMs);
      expect(command!.atMs).toBeLessThan(toMs);
    }
  });

  it('is described in words', () => {
    const parts = [
      { what: 'kill', host: 2, fromMs: 10, toMs: 900 },
      { what: 'take', object: 'root', endpoints: [0, 3], everyMs: 50, fromMs: 1, toMs: 2 },
      { what: 'hang', host: 1, threads: 'main', fromMs: 1, toMs: 2 },
      { what: 'short', host: 1, of: 'files', fromMs: 1, toMs: 2 },
      { what: 'disk', fromMs: 1, toMs: 2 },
      { what: 'bad', directions: [{ from: 0, to: 3 }], fromMs: 0, toMs: 700 },
      { what: 'date', host: 1, byMs: -400, fromMs: 5, toMs: 600 },
    ] as const;
    const command = { host: 1, atMs: 50, text: 'reset' };
    expect(describeFault({ kind: 'several', parts, command })).toBe(
      'several: kill 2 10–900 ms, take root of endpoints 0 3 every 50 ms 1–2 ms, hang 1 main 1–2 ms, short 1 of files 1–2 ms, disk 1–2 ms, bad 0>3 0–700 ms, date 1 by -400 ms 5–600 ms, "reset" to 1 at 50 ms',
    );
  });
});

const MEMBERS = [
  { name: 'host0', peer: 'p0', incarnation: 7 },
  { name: 'host1', peer: 'p1', incarnation: 9 },
];
const ENDPOINTS = [
  { name: 'a.0', host: 'host0', addresses: ['10.1.0.1'] },
  { name: 'b.0', host: 'host1', addresses: ['10.2.0.1', 'fd00::1'] },
];
const FLOWS = [
  { from: 'a.0', to: 'b.0', rateBps: 1000, greedy: false },
  { from: 'b.0', to: 'a.0', rateBps: 3000, greedy: true },
];
const SHARES = new Map([
  ['host0', [{ from: 'a.0', to: 'b.0', rateBps: 1100, ceilingBps: 5000 }]],
  ['host1', [{ from: 'b.0', to: 'a.0', rateBps: 4000, ceilingBps: 4000 }]],
]);

const viewOf = (host: 'host0' | 'host1', changes: Partial<AgentView> = {}): AgentView => ({
  host,
  state: 'running',
  shaped: true,
  degraded: [],
  now: host === 'host0' ? 500 : 600,
  epoch: 3,
  members: MEMBERS,
  endpoints: ENDPOINTS,
  flows: FLOWS,
  shares: SHARES.get(host)!,
  commands: { count: 2, digest: 'ab cd' },
  ...changes,
});

const truth: Truth = {
  hosts: ['host0', 'host1'],
  endpoints: ENDPOINTS,
  commands: 2,
  // Of the flow from `a`, as many as are known.
  sharesOfAll: (flows, epoch) =>
    epoch === 3 || epoch === 4
      ? [...SHARES.values()].flat().map((share) => ({ ...share, rateBps: share.rateBps + flows.length - 2 }))
      : undefined,
};

const between = (changes: Partial<AgentView>, other: Partial<AgentView> = {}) =>
  findDisagreement([viewOf('host0', other), viewOf('host1', changes)], truth);

describe('agents', () => {
  it('agree', () => {
    expect(between({})).toEqual({ lasting: [], fleeting: [] });
  });

  it('that do not answer agree with none', () => {
    expect(findDisagreement([viewOf('host0'), undefined], truth).lasting).toEqual(["host1 doesn't answer"]);
  });

  it.each<[string, Partial<AgentView>, RegExp]>([
    ['state', { state: 'waiting' }, /host1 is waiting/],
    ['shaped', { shaped: false }, /host1 has not shaped/],
    ['degraded', { degraded: ['no room'] }, /host1: no room/],
    ['a host that is missed', { members: MEMBERS.slice(1) }, /members of host1: -.*host0/],
    ['a host that is dead', { members: [...MEMBERS, { ...MEMBERS[0]!, name: 'host2' }] }, /\+.*host2/],
    ['an old incarnation', { members: [{ ...MEMBERS[0]!, incarnation: 6 }, MEMBERS[1]!] }, /\+.*6/],
    ['an endpoint that is missed', { endpoints: ENDPOINTS.slice(0, 1) }, /endpoints of host1: -.*b\.0/],
    [
      'addresses',
      { endpoints: [ENDPOINTS[0]!, { ...ENDPOINTS[1]!, addresses: ['10.2.0.1'] }] },
      /endpoints of host1/,
    ],
  ])('disagree lastingly on %s', (_, changes, text) => {
    const { lasting, fleeting } = between(changes);
    expect(lasting.join()).toMatch(text);
    expect(fleeting).toEqual([]);
  });

  it.each<[string, Partial<AgentView>, RegExp]>([
    ['epochs', { epoch: 4 }, /epoch of host0: \+3,epoch of host0: -4/],
    ['an epoch of its own', { epoch: 5 }, /no agent but host1 is in epoch 5/],
    ['a flow that is missed', { flows: FLOWS.slice(1) }, /flows of host1: -.*a\.0/],
    ['a flow that has ended', { flows: [...FLOWS, { ...FLOWS[0]!, to: 'c.0' }] }, /\+.*c\.0/],
    ['a flow that is told twice', { flows: [...FLOWS, FLOWS[0]!] }, /flows of host1: \+.*a\.0/],
    ['a rate', { flows: [{ ...FLOWS[0]!, rateBps: 999 }, FLOWS[1]!] }, /\+.*999/],
    ['greed', { flows: [{ ...FLOWS[0]!, greedy: true }, FLOWS[1]!] }, /flows of host1/],
    ['commands', { commands: { count: 2, digest: 'ab ce' } }, /commands of host1/],
    ['how many commands', { commands: { count: 1, digest: 'ab cd' } }, /host1 has 1 of 2 commands/],
    ['a share', { shares: [{ ...SHARES.get('host1')![0]!, rateBps: 4001 }] }, /shares of host1: \+.*4001/],
    ['a ceiling', { shares: [{ ...SHARES.get('host1')![0]!, ceilingBps: null }] }, /shares of host1/],
    ['a share that is missed', { shares: [] }, /shares of host1: -/],
  ])('disagree for a moment on %s', (_, changes, text) => {
    const { lasting, fleeting } = between(changes);
    expect(lasting).toEqual([]);
    expect(fleeting.join()).toMatch(text);
  });

  it('that agree may be wrong all the same', () => {
    expect(between({ epoch: 5 }, { epoch: 5 }).fleeting).toEqual([
      'no agent but host0 is in epoch 5',
      'no agent but host1 is in epoch 5',
    ]);
    // Both have missed a flow of a third, and share without it: each host's data about itself counts.
    const missed = { flows: FLOWS.slice(0, 1) };
    expect(between(missed, missed).fleeting.join()).toMatch(/shares of host0: \+.*1100/);
    const commands = { count: 3, digest: 'x' };
    expect(between({ commands }, { commands }).fleeting.join()).toMatch(/3 of 2 commands/);
    const wrong = between({ members: [MEMBERS[1]!] }, { members: [MEMBERS[0]!] });
    expect(wrong.lasting).toHaveLength(2);
  });

  it('announce flows that only their own host knows', () => {
    let asked: unknown;
    const shares = [{ from: 'b.0', to: 'b.0', rateBps: 0, ceilingBps: 77 }, ...SHARES.get('host1')!];
    findDisagreement([viewOf('host0'), viewOf('host1', { shares })], {
      ...truth,
      sharesOfAll: (flows) => {
        if (flows.length > 2) asked = flows.at(-1);
        return [...SHARES.values()].flat();
      },
    });
    expect(asked).toEqual({ from: 'b.0', to: 'b.0', rateBps: 0, greedy: false });
  });
});

describe('an agent on a full disk', () => {
  const view = (digest: string, ...degraded: string[]) =>
    viewOf('host0', { commands: { count: 2, digest }, degraded });
  const told = 'keeping commands for the next agent fails and is tried again (1 times so far): ENOSPC';
  const kept = { digest: 'a', bytes: 100 };

  it.each<[string, AgentView, { before: number; after: number }, object]>([
    ['has nothing new', view('a'), { before: 100, after: 100 }, { kept }],
    ['says what it does not keep', view('b', told), { before: 100, after: 100 }, { kept }],
    ['keeps it all the same', view('b'), { before: 150, after: 150 }, { kept: { digest: 'b', bytes: 150 } }],
    [
      'keeps it while it is asked',
      view('b'),
      { before: 100, after: 150 },
      { kept: { digest: 'b', bytes: 100 } },
    ],
    [
      'does not say it',
      view('b', 'no room'),
      { before: 100, after: 100 },
      { kept, problem: 'host0 has commands that it does not keep, and does not say so' },
    ],
  ])('%s', (_, now, bytes, judged) => {
    expect(judgeTelling(now, bytes, kept)).toEqual(judged);
  });

  it('has at first what it has', () => {
    const bytes = { before: 7, after: 9 };
    expect(judgeTelling(view('a', told), bytes, undefined)).toEqual({ kept: { digest: 'a', bytes: 7 } });
  });
});

describe('what sticks', () => {
  it('was there in several looks over some time, without a break', () => {
    const sticking = new Sticking();
    expect(sticking.look(['a', 'b'], 0)).toEqual([]);
    expect(sticking.look(['a', 'b'], STICKS_MS)).toEqual([]);
    expect(STICKS_LOOKS).toBe(3);
    expect(sticking.look(['a', 'c'], STICKS_MS + 1)).toEqual(['a']);
    expect(sticking.look(['b', 'c'], STICKS_MS + 2)).toEqual([]);
    expect(sticking.look(['b', 'c'], STICKS_MS + 3)).toEqual([]);
    expect(sticking.look(['a', 'c'], 2 * STICKS_MS + 1)).toEqual(['c']);
  });
});

it('differences count', () => {
  expect(differences('x', [1, 1, 2], [1, 3])).toEqual(['x: +1', 'x: +2', 'x: -3']);
  expect(differences('x', [2, 1], [1, 2])).toEqual([]);
});

describe('the table of faults', () => {
  const [kill, pause] = planFaults(2, 1, SIZES);
  const outcome = (fault: typeof kill, agreementMs: number, isTold = false): Outcome => ({
    fault: fault!,
    agreementMs,
    isTold,
    answerMs: 1200,
    last: [],
  });

  it('judges none of which status has told, but counts it', () => {
    const of = (...outcomes: Outcome[]) => tableOf(outcomes, [], 'netem', 1).rows[0]!;
    const { measured, verdict, note } = of(outcome(kill, 100), outcome(kill, 9000, true));
    expect([measured, verdict]).toEqual([100, 'within']);
    expect(note).toContain('1 longer, and told');
    expect(of(outcome(kill, 9000, true)).verdict).toBe('within');
    expect(of(outcome(kill, Number.POSITIVE_INFINITY, true)).verdict).toBe('outside');
    expect(of(outcome(kill, 9000)).verdict).toBe('outside');
  });

  it('judges the longest of each kind', () => {
    const { rows } = tableOf([outcome(kill, 100), outcome(kill, 4999), outcome(pause, 5001)], [], 'netem', 1);
    expect(rows.map(({ what, measured, verdict, samples }) => [what, measured, verdict, samples])).toEqual([
      ['agents killed, new ones started', 4999, 'within', 2],
      ['agents stopped for a while', 5001, 'outside', 1],
      ['all', 5001, 'outside', 3],
      ['namespaces, interfaces, processes and files left over', 0, 'within', 1],
      ['from the start of new agents to the first answer, median', 1200, 'told', 2],
    ]);
    expect(rows[0]!.note).toBe('median 2550 ms, 99 % 4950 ms');
  });

  it('names what is left over', () => {
    const { rows } = tableOf([outcome(pause, 100)], ['namespace netfold.x', 'process 7'], 'netem', 1);
    expect(rows.at(-1)).toMatchObject({
      measured: 2,
      verdict: 'outside',
      note: 'namespace netfold.x, process 7',
    });
  });

  it('counts those after which there never was agreement', () => {
    const { rows } = tableOf([outcome(kill, 100), outcome(kill, Number.POSITIVE_INFINITY)], [], 'netem', 1);
    expect(rows[0]).toMatchObject({ measured: null, verdict: 'outside', note: '1 never' });
  });
});
