/** Colours of the theme in force, for what is drawn on a canvas. */

export interface Colours {
  readonly text: string;
  readonly dim: string;
  readonly panel: string;
  readonly stage: string;
  readonly idle: string;
  readonly accent: string;
  readonly good: string;
  readonly warn: string;
  readonly bad: string;
  readonly node: string;
  readonly bridge: string;
  /** Of the use of a link: little, much, full. Blue to orange, which no kind of colour blindness confuses. */
  readonly ramp: readonly [string, string, string];
}

/** Those of the page's style sheet. */
export function themeColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: of('text'),
    dim: of('dim'),
    panel: of('panel'),
    stage: of('stage'),
    idle: of('idle'),
    accent: of('accent'),
    good: of('good'),
    warn: of('warn'),
    bad: of('bad'),
    node: of('node'),
    bridge: of('bridge'),
    ramp: [of('use-low'), of('use-mid'), of('use-high')],
  };
}

const MOST_STEPS = 20;
const mixed = new Map<string, string>();

/** Of a use from 0 to 1. */
export function useColour({ ramp }: Pick<Colours, 'ramp'>, use: number): string {
  const step = Math.round(Math.min(1, Math.max(0, use)) * MOST_STEPS);
  const key = `${ramp.join()} ${step}`;
  const known = mixed.get(key);
  if (known !== undefined) return known;
  const at = (2 * step) / MOST_STEPS;
  const colour = at <= 1 ? mix(ramp[0], ramp[1], at) : mix(ramp[1], ramp[2], at - 1);
  mixed.set(key, colour);
  return colour;
}

/** Of two colours in the form #rrggbb. */
function mix(a: string, b: string, part: number): string {
  const channel = (text: string, at: number): number => Number.parseInt(text.slice(at, at + 2), 16);
  const values = [1, 3, 5].map((at) => Math.round(channel(a, at) * (1 - part) + channel(b, at) * part));
  return `rgb(${values.join(' ')})`;
}
