/** Where an experiment runs, and what each place may be told. */
import { type Draft, PLACES } from '../data/draft.ts';
import { Field } from '../parts/parts.tsx';

const NAMES: Readonly<Record<Draft['place'], string>> = {
  lab: 'this machine',
  docker: 'containers (Docker)',
  hosts: 'hosts over SSH',
};
const BACKENDS = ['auto', 'netem', 'delay-line'] as const;

type Change = (part: Partial<Draft>) => void;

export function PlaceSelect({ place, change }: { place: Draft['place']; change: Change }) {
  return (
    <label class="field">
      <span>Where</span>
      <select
        value={place}
        onChange={(event) => change({ place: event.currentTarget.value as Draft['place'] })}
      >
        {PLACES.map((one) => (
          <option key={one} value={one}>
            {NAMES[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

export function PlaceFields({ draft, change }: { draft: Draft; change: Change }) {
  const { place } = draft;
  if (place === 'hosts')
    return (
      <>
        <Field
          label="Lease"
          value={draft.lease}
          placeholder="30s"
          isShort
          onInput={(lease) => change({ lease })}
        />
        <Field
          label="Never shaped"
          value={draft.never}
          placeholder="tcp:5432, 192.0.2.0/24"
          onInput={(never) => change({ never })}
        />
      </>
    );
  return (
    <>
      {place === 'lab' && (
        <Field label="Hosts" value={draft.hosts} isShort onInput={(hosts) => change({ hosts })} />
      )}
      <Field
        label="Duration"
        value={draft.duration}
        placeholder="until it is ended"
        onInput={(duration) => change({ duration })}
      />
      <label class="field">
        <span>Delay by</span>
        <select
          value={draft.delayBackend}
          onChange={(event) => change({ delayBackend: event.currentTarget.value as Draft['delayBackend'] })}
        >
          {BACKENDS.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      {place === 'docker' && (
        <Choice
          label="Fetch images that are missing"
          isOn={draft.pull}
          onChange={(pull) => change({ pull })}
        />
      )}
    </>
  );
}

export function Choice({
  label,
  isOn,
  onChange,
}: {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}) {
  return (
    <label class="choice">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}
