/** Rules of links: their grammar, what they select, and how they come together along a path. */
import { describe, expect, it } from 'vitest';
import { foldImpairments, impairment, impairsPackets } from '../../../proto/impairment.ts';
import {
  delayingRules,
  isAbout,
  limitsOf,
  parseRules,
  RULE_EXAMPLES,
  RULES_PATTERN,
  rulesOf,
  type Traits,
} from '../../../proto/rules.ts';
import { UnitError } from '../../../proto/units.ts';

describe('the grammar', () => {
  it.each<readonly [string, string]>([
    ...RULE_EXAMPLES.map((text) => [text, text] as const),
    [' drop  ', 'drop'],
    ['drop 100% only icmp', 'drop only icmp'],
    ['drop .5%', 'drop 0.5%'],
    ['drop 1st only syn', 'drop 1st only syn'],
    ['drop 11st only tcp', 'drop 11th only tcp'],
    ['drop 22th', 'drop 22nd'],
    [
      'drop every 2nd except tcp:1,udp:65535 ,dscp:46, ip:132',
      'drop every 2nd except tcp:1, udp:65535, dscp:46, ip:132',
    ],
    ['delay 0.02s only ip:0', 'delay 20ms only ip:0'],
    ['limit 1000Kbps', 'limit 1Mbps'],
    ['reset;drop only icmp ; ', 'reset; drop only icmp'],
  ])('%s', (text, canonical) => {
    expect(parseRules(text)).toBe(canonical);
    expect(parseRules(canonical)).toBe(canonical);
    expect(rulesOf(canonical).map((rule) => rule.text)).toEqual(canonical.split('; '));
    for (const one of [text, canonical]) expect(one).toMatch(new RegExp(RULES_PATTERN, 'u'));
  });

  it.each([
    ['', 0, 'there is no rule'],
    [' ; ', 0, 'there is no rule'],
    ['lose 5%', 0, '"lose" is no action'],
    ['drop 5 only tcp', 5, '"5" is no part'],
    ['drop 0% only tcp', 5, 'drops nothing'],
    ['limit', 0, 'limit has no rate'],
    ['limit only tcp', 6, 'limit has no rate'],
    ['limit 5 only tcp', 6, '"5"'],
    ['limit 1bps', 6, 'outside of 8bps'],
    ['drop 101%', 5, '101%'],
    ['drop 0th', 5, 'not from 1'],
    ['drop every 1st', 11, 'not from 2'],
    ['drop every', 5, '"every" is no part'],
    ['drop every 10 only tcp', 11, '"10" is no part'],
    ['drop 9999999999th', 5, 'not from 1'],
    ['drop 10% tcp', 9, '"tcp" is neither only nor except'],
    ['drop only', 5, 'only is followed by no selector'],
    ['drop only icmp,', 14, ', is followed by no selector'],
    ['drop only ,icmp', 10, 'only is followed by no selector'],
    ['drop only icmp tcp', 15, 'no comma is before "tcp"'],
    ['drop only tcp:', 10, '"tcp:" has no number from 1 to 65535'],
    ['drop only udp:70000', 10, 'no number from 1 to 65535'],
    ['drop only icmp:8', 10, '"icmp:8" selects no packets'],
    ['drop only dscp:64', 10, 'no number from 0 to 63'],
    ['drop only dscp', 10, 'no number from 0 to 63'],
    ['drop only ip:256', 10, 'no number from 0 to 255'],
    ['drop only tcp80', 10, '"tcp80" selects no packets'],
    ['drop only constructor', 10, 'selects no packets'],
    ['drop only tcp, udp, icmp, ip:1, ip:2', 32, 'at most 4 selectors'],
    ['reset only tcp, udp:53', 16, 'only TCP can be reset, not udp:53'],
    ['reset only icmp', 11, 'only TCP can be reset'],
    ['reset 5%', 6, 'neither only nor except'],
    ['delay only tcp', 6, 'only'],
    ['delay', 0, 'delay has no time'],
    ['delay 20 only tcp', 6, 'has no unit'],
    ['delay 0ms', 6, 'has no effect'],
    ['drop only icmp; drop 5 only tcp', 21, '"5" is no part'],
  ])('%j is refused at %i', (text, at, message) => {
    let told: unknown;
    try {
      parseRules(text);
    } catch (error) {
      told = error;
    }
    expect(told).toBeInstanceOf(UnitError);
    expect(told).toMatchObject({ at, message: expect.stringContaining(message) });
    expect((told as UnitError).remedy).toMatch(/write|leave|join/);
  });

  it('has a bound', () => {
    const many = (count: number): string => Array(count).fill('reset').join(';');
    expect(parseRules(many(8))).toHaveLength(8 * 5 + 7 * 2);
    expect(() => parseRules(many(9))).toThrow(/9 rules are more than the 8/);
    expect(() => parseRules(`drop only ${'x'.repeat(3000)}`)).toThrow(/too long/);
  });
});

describe('a selector', () => {
  const packet = (of: Partial<Traits>): Traits => ({
    ...{ protocol: 6, isIcmp: false, isSyn: false, sourcePort: 0, destinationPort: 0, dscp: 0 },
    ...of,
  });
  const selects = (about: string, of: Partial<Traits>): boolean =>
    isAbout(rulesOf(`drop ${about}`)[0]!, packet(of));

  it.each<[string, Partial<Traits>, boolean]>([
    ['only tcp', {}, true],
    ['only tcp', { protocol: 17 }, false],
    ['only tcp:80', { destinationPort: 80 }, true],
    ['only tcp:80', { sourcePort: 80 }, true],
    ['only tcp:80', { protocol: 17, sourcePort: 80 }, false],
    ['only tcp:80', { destinationPort: 81 }, false],
    ['only syn:80', { destinationPort: 80, isSyn: true }, true],
    ['only syn:80', { destinationPort: 80 }, false],
    ['only icmp', { protocol: 58, isIcmp: true }, true],
    ['only ip:58', { protocol: 58, isIcmp: true }, true],
    ['only ip:1', { protocol: 58, isIcmp: true }, false],
    ['only dscp:46', { dscp: 46 }, true],
    ['only dscp:0', { dscp: 46 }, false],
    ['only udp:53, icmp', { protocol: 1, isIcmp: true }, true],
    ['except udp:53, icmp', { protocol: 1, isIcmp: true }, false],
    ['except udp:53, icmp', { protocol: 17, sourcePort: 54 }, true],
    ['', {}, true],
  ])('%s, of %o: %s', (about, of, expected) => {
    expect(selects(about, of)).toBe(expected);
  });
});

describe('along a path', () => {
  const path = (...rules: (string | undefined)[]) => {
    const links = rules.map((one) => impairment(one === undefined ? {} : { rules: one }));
    return foldImpairments([...links.keys()], links);
  };

  it('rules come one after the other, in the order of links', () => {
    expect(path('drop only icmp', undefined, 'reset; delay 5ms', 'delay 20ms only tcp')).toMatchObject({
      rules: 'drop only icmp; reset; delay 5ms; delay 20ms only tcp',
      ruleDelays: 'delay 5ms; delay 20ms only tcp',
    });
    expect(path(undefined, undefined)).not.toHaveProperty('rules');
    expect(rulesOf(path('reset', 'reset').rules!)).toHaveLength(2);
  });

  it('only delays are something that packets meet where they arrive', () => {
    expect(path('drop 5% only tcp')).not.toHaveProperty('ruleDelays');
    expect(impairsPackets(path('drop 5% only tcp'))).toBe(false);
    expect(impairsPackets(path('delay 5ms only tcp'))).toBe(true);
    expect(delayingRules('drop; reset')).toBeUndefined();
  });
});

describe('rules that limit', () => {
  it('come the slowest first, as many as have room', () => {
    expect(limitsOf('drop only icmp; limit 2Mbps; limit 1Mbps only udp; delay 1ms')).toEqual([
      { index: 2, rate: 1e6 },
      { index: 1, rate: 2e6 },
    ]);
    const five = [5, 4, 3, 2, 1].map((rate) => `limit ${rate}Mbps only udp:${rate}`).join('; ');
    expect(limitsOf(five).map(({ rate }) => rate)).toEqual([2e6, 3e6, 4e6, 5e6]);
    expect(limitsOf('drop')).toEqual([]);
  });
});
