/** Expectations that steps of sequences wait for: their grammar, what follows when they are told, and who looks at them how. */
import { describe, expect, it } from 'vitest';
import type { Timers } from '../../../agent/clock/clock.ts';
import { Conditions } from '../../../agent/conditions/conditions.ts';
import { PingLines } from '../../../agent/conditions/ping-lines.ts';
import type { EchoSeries, Senses } from '../../../agent/conditions/senses.ts';
import { Player } from '../../../agent/timeline/player.ts';
import { Rights } from '../../../agent/timeline/rights.ts';
import type { Command } from '../../../proto/command.ts';
import { formatMicros, fromMillis, micros } from '../../../proto/units.ts';
import type { Probe } from '../../../topology/judge/evidence.ts';
import { loadTopology } from '../../../topology/load.ts';
import { TopologyError } from '../../../topology/model/diagnostics.ts';
import { Beginning } from '../../../topology/timeline/beginning.ts';
import { AgentLab, endpoint } from '../../support/fakes/agent-lab.ts';

const LAB = `services: { a: { run: "x" }, web: { replicas: 2 } }
bridges: [s]
links: [{ from: a, to: s, latency: 1ms }, { from: web, to: s }]
`;
const topologyOf = (steps: readonly string[]) =>
  loadTopology(
    `${LAB}sequences:\n  x:\n    at: 1s\n    steps:\n${steps.map((step) => `      - ${step}\n`).join('')}  y: { after: x fails, steps: [crash web.1] }\n`,
    'lab.yaml',
  ).topology;
const seconds = (value: number) => micros(value * 1e6);

const playerOf = (steps: readonly string[]): Player =>
  new Player(topologyOf(steps), (_, { message }) => {
    throw new Error(message);
  });

let number = 0;
const told = (at: number, text: string): Command => ({
  ...{ origin: 'host0', incarnation: 1, number: ++number, text },
  ...{ issuedAt: (at - 0.1) * 1e6, at: at * 1e6 },
});

const statesOf = (one: Player): string[] =>
  one.sequences.map(({ name, state, step, about }) => [name, state, step ?? '-', ...about].join(' '));

describe('a step that waits for an expectation', () => {
  const steps = ['wait for rtt a web.0 p99 over 2s < 50ms timeout 10s', 'crash web.0'];

  it('ends when it is told that it holds', () => {
    const one = playerOf(steps);
    one.advance(seconds(2));
    expect(statesOf(one)).toEqual([
      'x runs 1 rtt a web.0 p99 over 2s < 50ms timeout 10s',
      'y waits - x fails',
    ]);
    one.command(told(5, 'ended x 1 a.0 0'), seconds(4.9));
    const { atoms } = one.advance(seconds(6));
    expect(atoms.map(({ at, verb }) => `${formatMicros(at)} ${verb}`)).toEqual(['5s crash']);
    expect(statesOf(one)[0]).toBe('x done -');
  });

  it('fails when it is told that it did not, and another sequence begins', () => {
    const one = playerOf(steps);
    one.advance(seconds(2));
    one.command(told(11.1, 'ended x 1 a.0 1'), seconds(11));
    one.advance(seconds(12));
    expect(statesOf(one)).toEqual([
      'x failed 1 rtt a web.0 p99 over 2s < 50ms timeout 10s: it did not hold',
      'y done -',
    ]);
  });

  it('is told by the host of the endpoint from which it is measured', () => {
    const rights = new Rights(new Beginning(topologyOf(steps)), { 'a.0': 'host0', 'web.0': 'host1' });
    const say = (text: string, host: string) => rights.lacking(told(3, text), { kind: 'agent', host });
    expect(say('ended x 1 a.0 0', 'host0')).toBeUndefined();
    expect(say('ended x 1 web.0 0', 'host1')).toContain('no sequence waits');
    expect(say('ended x 1 a.0 0', 'host1')).toContain('not assigned');
  });

  it.each([
    ['wait for rtt a web.0 < 50ms', 'over'],
    ['wait for rtt a web.0 over 2s < 50', '50'],
    ['wait for rtt a web.0 over 2s < 50ms timeout 1s', 'longer than that'],
    ['wait for rtt a web.0 over 2s < 50ms by 10s', 'the end of the line'],
    ['wait for rtt a web over 2s < 50ms', 'web has 2 replicas'],
    ['wait for rtt a nobody over 2s < 50ms', 'nobody'],
    ['wait for processes web >= 2', 'web has 2 replicas'],
    ['wait for latency a web.0 over 2s < 50ms', 'no host alone'],
    ['wait for verdict faithful', 'the whole run'],
    ['wait for exit a 256', '256'],
    ['wait for reach a s', 's'],
  ])('%s is refused', (step, message) => {
    const load = (): unknown => topologyOf([step]);
    expect(load).toThrow(TopologyError);
    expect(load).toThrow(message);
  });

  it('leaves its words to who notifies them', () => {
    const one = playerOf(['wait for rate', 'wait for reach from a', 'wait for no', 'crash web.0']);
    one.command(told(2, 'notify rate'), seconds(1.9));
    one.command(told(3, 'notify reach from a.0'), seconds(2.9));
    one.command(told(4, 'notify no'), seconds(3.9));
    expect(one.advance(seconds(5)).atoms).toHaveLength(1);
  });
});

/** Echo requests whose outcomes a test decides. */
class FakeEchoes implements EchoSeries {
  readonly problem = undefined;
  isStopped = false;
  #lines: PingLines;
  #number = 0;

  constructor() {
    this.#lines = new PingLines(200, 0);
  }
  get probes(): readonly Probe[] {
    return this.#lines.probes;
  }
  sent(atMs: number, tookMs: number | null): void {
    this.#number++;
    const time = (ms: number): string => (ms / 1000).toFixed(6);
    if (tookMs === null) this.#lines.take(`[${time(atMs + 200)}] no answer yet for icmp_seq=${this.#number}`);
    else this.#lines.take(`[${time(atMs + tookMs)}] 64 bytes: icmp_seq=${this.#number} time=${tookMs} ms`);
  }
  settledMs(nowMs: number): number {
    return this.#lines.settledMs(nowMs);
  }
  forgetBefore(ms: number): void {
    this.#lines.forgetBefore(ms);
  }
  stop(): void {
    this.isStopped = true;
  }
}

class Host {
  #look: () => void = () => {};
  readonly player: Player;
  readonly echoes: FakeEchoes[] = [];
  readonly told: string[] = [];
  readonly problems: string[] = [];
  rate = 0;
  words: string | undefined = 'pid 7';
  /** Of what is sent at an instant. */
  outcome: (ms: number) => number | null = () => 10;
  readonly #conditions: Conditions;
  #nowMs = 0;

  constructor(steps: readonly string[], local = ['a.0']) {
    this.player = playerOf(steps);
    const senses: Senses = {
      openEchoes: () => {
        this.echoes.push(new FakeEchoes());
        return this.echoes.at(-1);
      },
      rateBps: () => this.rate,
      roundTripsMs: () => [],
      words: () => this.words,
    };
    this.#conditions = new Conditions(
      {
        ...{ timers: this.#timers(), senses, now: () => fromMillis(this.#nowMs) },
        sequences: () => this.player.sequences,
        local: () =>
          local.map((name, at) => ({
            ...{
              number: at,
              name,
              namespace: `/run/netns/${name}`,
              ifname: 'eth0',
              ifindex: 2,
              addresses: [],
            },
          })),
        tell: (text) => {
          this.told.push(`${this.#nowMs / 1000} ${text}`);
          this.player.command(told(this.#nowMs / 1000 + 0.1, text), fromMillis(this.#nowMs));
        },
        onProblem: (problem) => this.problems.push(problem),
      },
      this.player.awaited.conditions,
    );
    this.#conditions.start();
  }

  until(ms: number): void {
    while (this.#nowMs < ms) {
      this.#nowMs += 200;
      this.player.advance(fromMillis(this.#nowMs));
      const open = this.echoes.at(-1);
      if (open && !open.isStopped) open.sent(this.#nowMs - 200, this.outcome(this.#nowMs - 200));
      this.#look();
    }
  }

  stop(): void {
    this.#conditions.stop();
  }

  #timers(): Timers {
    const never = (): (() => void) => () => {};
    const every = (_: number, look: () => void): (() => void) => {
      this.#look = look;
      return () => {};
    };
    return { every, after: never, sharply: never, turn: async () => {} };
  }
}

describe('a host', () => {
  it('measures from the beginning of the step on, until it holds', () => {
    const host = new Host(['wait 2s', 'wait for rtt a web.0 max over 2s < 50ms']);
    host.outcome = (ms) => (ms < 6000 ? 80 : 10);
    host.until(2800);
    expect(host.echoes).toEqual([]);
    host.until(7800);
    expect(host.told).toEqual([]);
    host.until(10_000);
    expect(host.told).toHaveLength(1);
    const [at, text] = host.told[0]!.split(' ended ');
    expect(text).toBe('x 2 a.0 0');
    expect(Number(at)).toBeGreaterThanOrEqual(8);
    expect(Number(at)).toBeLessThanOrEqual(9.4);
    expect(host.echoes.map(({ isStopped }) => isStopped)).toEqual([true]);
    expect(statesOf(host.player)[0]).toBe('x done -');
  });

  it('keeps no more than it needs, however long it takes', () => {
    const host = new Host(['wait for loss a web.0 over 2s = 0%']);
    host.outcome = (ms) => (ms % 1000 === 0 ? null : 10);
    host.until(60_000);
    expect(host.told).toEqual([]);
    expect(host.echoes[0]!.probes.length).toBeLessThan(50);
    host.outcome = () => 10;
    host.until(66_000);
    expect(host.told).toHaveLength(1);
    host.stop();
  });

  it('says that it did not hold in time', () => {
    const host = new Host(['wait for no reach a web.0 timeout 3s']);
    host.until(8000);
    expect(host.told.map((one) => one.replace(/^\S+ /, ''))).toEqual(['ended x 1 a.0 1']);
    expect(statesOf(host.player)).toEqual([
      'x failed 1 no reach a web.0 timeout 3s: it did not hold',
      'y done -',
    ]);
  });

  it('finds that nothing passes for a second, and that something does again', () => {
    const host = new Host(['wait for no reach a web.0', 'wait for reach a web.0 timeout 9s']);
    // A request now and then is loss.
    host.outcome = (ms) => (ms % 600 === 0 || (ms >= 5000 && ms < 9000) ? null : 10);
    host.until(7000);
    expect(host.told).toEqual([]);
    host.until(11_000);
    expect(host.told.map((one) => one.replace(/^\S+ /, ''))).toEqual(['ended x 1 a.0 0', 'ended x 2 a.0 0']);
  });

  it('reads rates once a second', () => {
    const host = new Host(['wait for rate a web.0 min over 3s > 5Mbps']);
    host.until(5000);
    host.rate = 6e6;
    host.until(7000);
    expect(host.told).toEqual([]);
    host.until(11_000);
    expect(host.told).toHaveLength(1);
    expect(Number(host.told[0]!.split(' ')[0])).toBeGreaterThan(7.5);
  });

  it('knows how a command has ended, also before, and whether it runs', () => {
    const host = new Host(['wait for processes a = 1', 'wait for exit a 3']);
    host.words = 'waits for web';
    host.until(2000);
    expect(host.told).toEqual([]);
    host.words = 'pid 7, ready';
    host.until(3000);
    host.words = 'exited with 0';
    host.until(5000);
    expect(host.told).toHaveLength(1);
    host.words = 'exited with 3';
    host.until(6000);
    expect(host.told).toHaveLength(2);
    expect(statesOf(host.player)[0]).toBe('x done -');
  });

  it('leaves endpoints of others to them', () => {
    const host = new Host(['wait for rtt a web.0 over 2s < 50ms'], ['web.0']);
    host.until(9000);
    expect(host.echoes).toEqual([]);
    expect(host.told).toEqual([]);
  });
});

it('whole agents agree that an expectation of one of them holds, and go on', async () => {
  const lab = new AgentLab(`services: { a: { run: "work" }, b: {} }
links: [{ from: a, to: b, latency: 5ms }]
sequences:
  x: { steps: [wait for processes a = 1, wait for processes a = 0 timeout 20s, set a--b latency=9ms] }
`);
  try {
    const [first, second] = [
      await lab.start('host0', [endpoint(0, 'a.0', '10.1.0.1')]),
      await lab.start('host1', [endpoint(1, 'b.0', '10.2.0.1')]),
    ];
    await lab.clock.advance(3000);
    lab.runAll(0);
    await lab.clock.advance(2000);
    const states = () => [first, second].map(({ parts }) => parts.player.sequences[0]);
    expect(states()).toMatchObject([{ step: 2 }, { step: 2 }]);
    first.processes.exit('a.0', 0);
    await lab.clock.advance(2000);
    expect(states()).toMatchObject([{ state: 'done' }, { state: 'done' }]);
    for (const { parts } of [first, second])
      expect(parts.epoch.value.graph.links.map(({ latency }) => latency)).toEqual([9000, 9000]);
  } finally {
    await lab.stop();
  }
});
