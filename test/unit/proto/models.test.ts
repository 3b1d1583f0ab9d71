import { describe, expect, it } from 'vitest';
import { foldImpairments, impairment, lossOf, packetImpairment } from '../../../proto/impairment.ts';
import {
  LOSS_MODEL_EXAMPLES,
  LOSS_MODEL_PATTERN,
  lossModelOf,
  meanLoss,
  parseDistance,
  parseLossModel,
  parseQuantiles,
  parseSlots,
  SLOT_PATTERN,
  slotsOf,
} from '../../../proto/models.ts';
import { micros, ratio, UnitError } from '../../../proto/units.ts';

const mean = (text: string): number => meanLoss(lossModelOf(text));

function problem(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof UnitError) return `${error.message}; ${error.remedy}`;
    throw error;
  }
  return 'fine';
}

describe('a model of loss', () => {
  it.each([
    ...LOSS_MODEL_EXAMPLES,
    'gilbert-elliott p=0.5% r=12.5% h=10% k=99.9%',
    'markov p13=1% p31=30%',
    'every 1 packet',
    'bursts 0.25% of 1.5 packets',
  ])('is its own canonical text: %s', (text) => {
    expect(parseLossModel(text)).toBe(text);
    expect(new RegExp(LOSS_MODEL_PATTERN).test(text)).toBe(true);
  });

  it('is the same text however it is written', () => {
    expect(parseLossModel('  gilbert-elliott  r=20.0% p=01% k=100% h=0% ')).toBe(
      'gilbert-elliott p=1% r=20%',
    );
    expect(parseLossModel('bursts 1.0% of 5.0 packet')).toBe('bursts 1% of 5 packets');
    expect(parseLossModel('markov p31=30% p13=1% p14=0%')).toBe('markov p13=1% p31=30%');
  });

  it('loses what its states say in the long run', () => {
    expect(mean('every 100 packets')).toBe(0.01);
    expect(mean('bursts 2% of 8 packets')).toBeCloseTo(0.02, 12);
    expect(mean('correlated 3% 40%')).toBeCloseTo(0.03, 12);
    // A third of the packets in the bad state, which loses nine tenths; the good one loses a hundredth.
    expect(mean('gilbert-elliott p=5% r=10% h=10% k=99%')).toBeCloseTo(0.9 / 3 + 0.02 / 3, 12);
    // The paper's example: states 1 to 4 as 1 : 0.04 : 0.2 : 0.01.
    expect(mean('markov p13=10% p31=50% p32=10% p23=50% p14=1%')).toBeCloseTo(0.21 / 1.25, 12);
    expect(mean('markov p13=0% p31=0% p14=50%')).toBeCloseTo(1 / 3, 12);
    expect(mean('gilbert-elliott p=0% r=0% k=90%')).toBeCloseTo(0.1, 12);
  });

  it.each([
    ['gilbert-elliott p=1%', 'has no r'],
    ['gilbert-elliott p=1% r=0%', 'never leaves its bad state'],
    ['gilbert-elliott p=1% r=5% h=50% k=40%', 'loses more in its good state'],
    ['gilbert-elliott p=1% r=5% p=2%', 'write each of p, r, h, k once'],
    ['gilbert-elliott p=1 r=5%', 'has no unit'],
    ['gilbert-elliott p=101% r=5%', '101%'],
    ['markov p13=60% p31=30% p14=50%', 'p13 + p14 is at most 100%'],
    ['markov p13=1% p31=60% p32=50% p23=1%', 'p31 + p32 is at most 100%'],
    ['markov p13=1% p31=0%', 'never leaves a burst'],
    ['markov p13=1% p31=10% p32=10%', 'never leaves state 2'],
    ['markov p13=1% p31=10% p23=10%', 'never comes to state 2'],
    ['bursts 60% of 1 packet', 'loses more than bursts of that length can'],
    ['bursts 1% of 0.5 packets', 'at least 1 packet'],
    ['bursts 1% of 5', 'how long bursts are'],
    ['correlated 1% 100%', 'below 100%'],
    ['correlated 1%', 'not a loss and its correlation'],
    ['every 0 packets', 'of how many packets'],
    ['every packet', 'of how many packets'],
    ['constructor', 'is no model of loss'],
    ['', 'is no model of loss'],
    [`every ${'1'.repeat(300)} packets`, 'too many for a model of loss'],
  ])('is refused with what is wrong: %s', (text, what) => {
    expect(problem(() => parseLossModel(text))).toContain(what);
  });
});

describe('slots', () => {
  it('are a time or a range', () => {
    expect([parseSlots('5ms'), parseSlots(' 2ms .. 4000us'), parseSlots('3ms..3ms')]).toEqual([
      '5ms',
      '2ms..4ms',
      '3ms',
    ]);
    expect(slotsOf('500us..2ms')).toEqual({ least: 500, most: 2000 });
    expect(['5ms', '2ms..4ms', '2ms .. 4ms'].every((text) => new RegExp(SLOT_PATTERN).test(text))).toBe(true);
  });

  it.each([
    ['0ms', 'leaves no time'],
    ['4ms..2ms', 'goes backwards'],
    ['1ms..2ms..3ms', 'no range of times'],
    ['5', 'has no unit'],
    ['..', 'is not a time'],
  ])('are refused: %s', (text, what) => {
    expect(problem(() => parseSlots(text))).toContain(what);
  });
});

it('distances count packets', () => {
  expect([parseDistance('1 packet'), parseDistance('25packets')]).toEqual([1, 25]);
  for (const text of ['0 packets', '3', '1.5 packets', '99999 packets'])
    expect(problem(() => parseDistance(text))).not.toBe('fine');
});

it('quantiles ascend, and are no other numbers', () => {
  expect(parseQuantiles(' -1 -0.5 0 0 1 2 3.25  4')).toBe('-1 -0.5 0 0 1 2 3.25 4');
  for (const [text, what] of [
    ['1 2 3', 'are 3'],
    ['1 2 3 4 5 6 8 7', 'do not ascend'],
    ['1 1 1 1 1 1 1 1', 'all the same'],
    ['1 2 3 4 5 6 7 x', 'plain numbers'],
    ['1 2 3 4 5 6 7 1e9', 'plain numbers'],
    [Array.from({ length: 2000 }, (_, at) => at).join(' '), 'not 8 to 1024'],
  ])
    expect(problem(() => parseQuantiles(text!))).toContain(what);
});

describe('along a path', () => {
  const model = (lossModel: string, loss = 0) => impairment({ lossModel, loss: ratio(loss) });
  const folded = (...links: ReturnType<typeof impairment>[]) => foldImpairments([...links.keys()], links);

  it('a model keeps its bursts beside independent loss', () => {
    const path = folded(impairment({ loss: ratio(0.1) }), model('bursts 2% of 5 packets'));
    expect(path).toMatchObject({ loss: 0.1, lossModel: 'bursts 2% of 5 packets' });
    expect(lossOf(path)).toBeCloseTo(1 - 0.9 * 0.98, 12);
  });

  it('of several, the one that loses most; the others lose as much, independently', () => {
    const path = folded(
      model('every 50 packets', 0.1),
      model('bursts 5% of 3 packets'),
      model('every 100 packets'),
    );
    expect(path.lossModel).toBe('bursts 5% of 3 packets');
    expect(path.loss).toBeCloseTo(1 - 0.9 * 0.98 * 0.99, 12);
    expect(folded(model('every 50 packets'), model('bursts 2% of 5 packets')).lossModel).toBe(
      'every 50 packets',
    );
  });

  it('independent probabilities join, and distances and slots are the greatest', () => {
    const a = impairment({
      duplicate: ratio(0.1),
      corrupt: ratio(0.5),
      reorder: ratio(0.2),
      reorderDistance: 2,
    });
    const b = impairment({ duplicate: ratio(0.1), reorderDistance: 7, slots: '2ms..10ms' });
    expect(folded(a, impairment({ slots: '5ms' }), b)).toMatchObject({
      duplicate: expect.closeTo(0.19, 12),
      corrupt: 0.5,
      reorder: 0.2,
      reorderDistance: 7,
      slots: '2ms..10ms',
    });
  });

  it('the shape of jitter is that of the only link with jitter', () => {
    const own = impairment({
      jitter: micros(5),
      quantiles: '1 2 3 4 5 6 7 9',
      jitterCorrelation: ratio(0.5),
    });
    expect(folded(own, impairment({}))).toMatchObject({
      quantiles: '1 2 3 4 5 6 7 9',
      jitterCorrelation: 0.5,
    });
    const several = folded(own, impairment({ jitter: micros(1) }));
    expect([several.quantiles, several.jitterCorrelation]).toEqual([undefined, undefined]);
  });
});

it('without any of them an impairment is what it was', () => {
  expect(packetImpairment({})).toStrictEqual({ latency: 0, jitter: 0, loss: 0 });
});
