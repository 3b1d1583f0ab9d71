/** Hosts over SSH: their inventory, and what they say. */
import { useState } from 'preact/hooks';
import type { Draft } from '../data/draft.ts';
import { type Refusal, refusalOf } from '../data/refusal.ts';
import { askHosts, type HostAction, type InjectedHost } from '../data/starting.ts';
import { Refused, State, type Tone } from '../parts/parts.tsx';
import { Choice } from './places.tsx';

const PLACEHOLDER = `hosts:
  one: { address: 192.0.2.7, user: root, is: client }
  two: { address: 192.0.2.8, user: root, is: server }`;

interface HostsProps {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  readonly isStarting: boolean;
}

interface Said {
  readonly hosts?: readonly InjectedHost[];
  readonly refusal?: Refusal;
}

const ACTIONS = { check: 'Check', status: 'Status', stop: 'Stop' } as const satisfies Partial<
  Record<HostAction, string>
>;

export function Hosts({ draft, change, isStarting }: HostsProps) {
  const [asking, setAsking] = useState<keyof typeof ACTIONS>();
  const [said, setSaid] = useState<Said>({});
  const ask = async (action: keyof typeof ACTIONS): Promise<void> => {
    setAsking(action);
    setSaid({});
    try {
      setSaid({ hosts: (await askHosts(action, draft)).hosts });
    } catch (error) {
      setSaid({ refusal: refusalOf(error) });
    }
    setAsking(undefined);
  };
  const upload = async (file: File | undefined): Promise<void> => {
    if (file) change({ inventory: await file.text() });
  };
  const has = { topology: draft.topology.trim() !== '', inventory: draft.inventory.trim() !== '' };
  return (
    <fieldset class="hosts">
      <legend>Hosts over SSH</legend>
      <p class="note">
        The server's machine reaches them by its own ssh, with the keys and the configuration that it has.
      </p>
      <label class="field inline">
        <span>Inventory file</span>
        <input type="file" onChange={(event) => void upload(event.currentTarget.files?.[0])} />
      </label>
      <label class="field wide">
        <span>Inventory</span>
        <textarea
          rows={5}
          wrap="off"
          value={draft.inventory}
          placeholder={PLACEHOLDER}
          spellcheck={false}
          onInput={(event) => change({ inventory: event.currentTarget.value })}
        />
      </label>
      <div class="line">
        <Choice
          label="Install netfold where it is missing"
          isOn={draft.install}
          onChange={(install) => change({ install })}
        />
        <Choice
          label="The topology's names resolve there"
          isOn={draft.names}
          onChange={(names) => change({ names })}
        />
        <Choice label="Keep a record" isOn={draft.record} onChange={(record) => change({ record })} />
        <Choice
          label="Replace foreign queues, and restore them"
          isOn={draft.takeOver}
          onChange={(takeOver) => change({ takeOver })}
        />
      </div>
      <div class="line">
        {(Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]).map((action) => (
          <button
            type="button"
            key={action}
            disabled={
              isStarting || asking !== undefined || !has.inventory || (action === 'check' && !has.topology)
            }
            onClick={() => void ask(action)}
          >
            {ACTIONS[action]}
          </button>
        ))}
        <span role="status">{asking === undefined ? '' : 'the hosts are being asked …'}</span>
      </div>
      {said.refusal && <Refused refusal={said.refusal} />}
      {said.hosts && <HostList hosts={said.hosts} />}
    </fieldset>
  );
}

/** How it went on each host, and what to do about what did not. */
export function HostList({ hosts }: { hosts: readonly InjectedHost[] }) {
  return (
    <ul class="found" aria-label="Hosts">
      {hosts.map((host) => (
        <li key={host.host}>
          <State tone={toneOf(host)}>{host.host}</State> {factsOf(host)}
          {host.errors.map(({ code, message, remedy }) => (
            <div key={code + message}>
              <code>{code}</code> {message}
              {remedy !== null && <span class="note"> — {remedy}</span>}
            </div>
          ))}
        </li>
      ))}
    </ul>
  );
}

function toneOf({ ok, state, problems }: InjectedHost): Tone {
  if (!ok) return 'bad';
  if (state === 'absent') return 'dim';
  return problems.length > 0 || (state !== null && state !== 'running') ? 'warn' : 'good';
}

function factsOf({ ok, result, state, endpoints, problems }: InjectedHost): string {
  const facts = [result, state === 'absent' ? 'nothing of it is there' : state, ...endpoints, ...problems];
  const said = facts.filter((one) => one !== null).join(', ');
  return said === '' && ok ? 'can take part' : said;
}
