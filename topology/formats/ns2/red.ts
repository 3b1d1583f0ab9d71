/** Parameters of queues of the kind RED (ns-2, tcl/lib/ns-default.tcl) → as a topology has them. */

const DEFAULTS: Readonly<Record<string, string>> = {
  thresh_: '5',
  maxthresh_: '15',
  q_weight_: '0.002',
  linterm_: '10',
  setbit_: 'false',
};

export const isRedParameter = (name: string): boolean => Object.hasOwn(DEFAULTS, name);

/** What `Queue/RED set thresh_ 5` says. */
export function redParameters(ofClasses: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map(Object.entries(DEFAULTS));
  for (const name of found.keys()) {
    const value = ofClasses.get(`Queue/RED ${name}`);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

/** For `parseAqm`. `linterm_` is 1 / the probability, and a `maxthresh_` of 0 three times the `thresh_`. */
export function redText(of: ReadonlyMap<string, string>, isInBytes: boolean): string {
  const text = (name: string): string => of.get(name)!.slice(0, 40);
  const least = Number(text('thresh_'));
  const most = Number(text('maxthresh_')) || 3 * least;
  const unit = isInBytes ? 'B' : 'packets';
  const probability = Number((100 / Number(text('linterm_'))).toPrecision(6));
  return [
    ...['red', `min=${least}${unit}`, `max=${most}${unit}`],
    ...[`probability=${probability}%`, `weight=${text('q_weight_')}`],
    ...(/^(?:1|true|yes|on)$/i.test(text('setbit_')) ? ['ecn'] : []),
  ].join(' ');
}
