/** Changing a link: several properties at once, in one direction or both, for a time or until another change. */
import { useState } from 'preact/hooks';
import { latency, percent, rate } from '../data/format.ts';
import type { Cable } from '../data/network.ts';
import { Field } from '../parts/parts.tsx';
import type { Give } from './control.tsx';

const PROPERTIES = ['latency', 'jitter', 'loss', 'bandwidth'] as const;
type Property = (typeof PROPERTIES)[number];
const NONE: Readonly<Record<Property, string>> = { latency: '', jitter: '', loss: '', bandwidth: '' };

export function LinkForm({ cable, give }: { cable: Cable; give: Give }) {
  const [values, setValues] = useState(NONE);
  const [direction, setDirection] = useState<'both' | 'forth' | 'back'>('both');
  const [length, setLength] = useState('');
  const { a, b, forth, back } = cable;
  const shown = (direction === 'back' ? back : forth) ?? back;
  const target = targetOf(cable, direction);
  const isUp = [forth, back].some((link) => link?.isPresent);
  const changed = PROPERTIES.flatMap((property) => {
    const value = values[property].trim();
    return value === '' ? [] : [`${property}=${value}`];
  });
  const options = length.trim() === '' ? {} : { for: length.trim() };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (changed.length > 0 && (await give(`set ${target} ${changed.join(' ')}`, options))) setValues(NONE);
  };
  const present: Readonly<Record<Property, string>> = shown
    ? {
        latency: latency(shown.latencyMs),
        jitter: latency(shown.jitterMs),
        loss: percent(shown.loss),
        bandwidth: rate(shown.bandwidthBps),
      }
    : NONE;
  return (
    <form class="link-form" onSubmit={submit} aria-label="Change this link">
      <div class="fields">
        {PROPERTIES.map((property) => (
          <Field
            key={property}
            label={property[0]!.toUpperCase() + property.slice(1)}
            value={values[property]}
            placeholder={present[property]}
            onInput={(value) => setValues({ ...values, [property]: value })}
          />
        ))}
        <label class="field">
          <span>Direction</span>
          <select
            value={direction}
            onChange={(event) => setDirection(event.currentTarget.value as typeof direction)}
          >
            <option value="both">both</option>
            {forth && (
              <option value="forth">
                {a} → {b}
              </option>
            )}
            {back && (
              <option value="back">
                {b} → {a}
              </option>
            )}
          </select>
        </label>
        <Field label="For" value={length} placeholder="ever" onInput={setLength} />
      </div>
      <div class="buttons">
        <button type="submit" class="main" disabled={changed.length === 0}>
          Change it
        </button>
        <button
          type="button"
          onClick={() =>
            void give(`${isUp ? 'leave' : 'join'} ${targetOf(cable, 'both')}`, isUp ? options : {})
          }
        >
          {isUp ? 'Take it down' : 'Bring it up'}
        </button>
      </div>
    </form>
  );
}

/** As commands name it; what stands behind the ends of a link's name tells parallel ones apart. */
function targetOf({ a, b, forth, back }: Cable, direction: 'both' | 'forth' | 'back'): string {
  if (direction === 'forth' && forth) return forth.name;
  if (direction === 'back' && back) return back.name;
  const either = (forth ?? back)!;
  return either.name.replace(`${either.from}->${either.to}`, forth ? `${a}--${b}` : `${b}--${a}`);
}
