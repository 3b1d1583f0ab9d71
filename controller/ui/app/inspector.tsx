/** What is selected: nodes, a link, or a path; what is known of it, and what can be done with it. */
import { useState } from 'preact/hooks';
import { latency, percent, rate } from '../data/format.ts';
import type { Live } from '../data/live.ts';
import { conditionsOf, type Direction } from '../data/network.ts';
import { NOTHING, pathEnds, pathOf, type Selection } from '../data/selection.ts';
import { Field, State } from '../parts/parts.tsx';
import { conditionText, conditionTone } from './conditions.ts';
import type { Give } from './control.tsx';
import { LinkForm } from './link-form.tsx';
import { Logs } from './logs.tsx';
import { PathPanel } from './path-panel.tsx';
import { Shell } from './terminal.tsx';

export interface InspectorProps {
  readonly live: Live;
  readonly selection: Selection;
  readonly select: (selection: Selection) => void;
  readonly give: Give;
  readonly theme: string;
}

export function Inspector(props: InspectorProps) {
  const { live, selection, select } = props;
  const ends = pathEnds(selection, live.network);
  const title = titleOf(selection, live);
  return (
    <section class="inspector card" aria-label="Selected">
      <header>
        <h2>{title}</h2>
        {selection.kind !== 'nothing' && (
          <button type="button" class="quiet" onClick={() => select(NOTHING)} aria-label="Select nothing">
            ✕
          </button>
        )}
      </header>
      <div class="body">
        {selection.kind === 'nothing' && <Hints />}
        {selection.kind === 'nodes' && selection.names.length === 1 && (
          <NodePanel key={selection.names[0]} {...props} name={selection.names[0]!} />
        )}
        {selection.kind === 'nodes' && selection.names.length > 1 && (
          <Group {...props} names={selection.names} />
        )}
        {selection.kind === 'cable' && <CablePanel key={selection.key} {...props} cableKey={selection.key} />}
        {ends && <PathPanel key={ends.join('>')} {...props} from={ends[0]} to={ends[1]} />}
      </div>
    </section>
  );
}

function titleOf(selection: Selection, { network }: Live): string {
  switch (selection.kind) {
    case 'nothing':
      return 'Nothing is selected';
    case 'cable': {
      const cable = network.cables.find(({ key }) => key === selection.key);
      return cable ? `${cable.a} — ${cable.b}` : 'A link that is not there';
    }
    case 'path':
      return `${selection.from} → ${selection.to}`;
    default: {
      const { names } = selection;
      return names.length === 1 ? names[0]! : `${names.length} nodes`;
    }
  }
}

function Hints() {
  return (
    <ul class="hints">
      <li>Click a node for its log, a terminal, and what can be done to it.</li>
      <li>Click a link to change it.</li>
      <li>Click a flow, or two endpoints with Shift, for the path between them.</li>
      <li>Drag a box with Shift to select several, and cut them off from the others.</li>
      <li>In the graph, arrow keys walk, Enter selects, + and − zoom, 0 shows everything.</li>
    </ul>
  );
}

/** What `netfold` reads as one replica, whatever there is of its service. */
const VERBS = ['crash', 'leave', 'join', 'disconnect', 'reconnect'] as const;

function NodePanel({ live, name, give, select }: InspectorProps & { name: string }) {
  const [inside, setInside] = useState<'nothing' | 'log' | 'terminal'>('nothing');
  const node = live.network.nodes.get(name);
  const endpoint = live.state.endpoints.get(name);
  const condition = conditionsOf(live.state).get(name);
  const isEndpoint = node?.kind === 'endpoint';
  const verbs = isEndpoint ? VERBS : (['leave', 'join'] as const);
  const flows = [...live.state.flows.values()].filter(({ from, to }) => from === name || to === name);
  return (
    <>
      <p>
        <State tone={conditionTone(condition)}>{conditionText(condition, endpoint?.process ?? null)}</State>
        <span class="note">
          {isEndpoint ? ` on ${endpoint?.host}, ${endpoint?.process ?? 'without a command'}` : ' bridge'}
        </span>
      </p>
      <div class="buttons">
        {verbs.map((verb) => (
          <button type="button" key={verb} onClick={() => void give(`${verb} ${name}`)}>
            {verb[0]!.toUpperCase() + verb.slice(1)}
          </button>
        ))}
      </div>
      {isEndpoint && (
        <div class="buttons" role="group" aria-label="Inside of it">
          {(['log', 'terminal'] as const).map((what) => (
            <button
              type="button"
              key={what}
              aria-pressed={inside === what}
              onClick={() => setInside(inside === what ? 'nothing' : what)}
            >
              {what === 'log' ? 'Log' : 'Terminal'}
            </button>
          ))}
        </div>
      )}
      {inside === 'log' && <Logs experiment={live.name} endpoint={name} />}
      {inside === 'terminal' && <Shell experiment={live.name} endpoint={name} />}
      {endpoint && (
        <dl class="facts">
          <dt>Service</dt>
          <dd>{endpoint.service}</dd>
          <dt>Addresses</dt>
          <dd>{endpoint.addresses.join(' ')}</dd>
        </dl>
      )}
      {flows.length > 0 && (
        <ul class="plain" aria-label="Flows">
          {flows.slice(0, 20).map(({ from, to, rateBps }) => (
            <li key={`${from}>${to}`}>
              <button type="button" class="pick" onClick={() => select(pathOf(`${from}>${to}`))}>
                {from} → {to}
              </button>
              <span class="note">{rate(rateBps)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Group({ live, names, give }: InspectorProps & { names: readonly string[] }) {
  const [length, setLength] = useState('');
  const endpoints = names.filter((name) => live.network.nodes.get(name)?.kind === 'endpoint');
  const options = length.trim() === '' ? {} : { for: length.trim() };
  return (
    <>
      <p class="names">{names.join(' ')}</p>
      <div class="line">
        <Field label="For" value={length} placeholder="ever" isShort onInput={setLength} />
        <button
          type="button"
          class="main"
          disabled={endpoints.length === 0}
          onClick={() => void give(`partition ${endpoints.join(' ')} | *`, options)}
        >
          Cut them off from the others
        </button>
        <button type="button" onClick={() => void give('heal')}>
          Heal
        </button>
      </div>
      <div class="buttons">
        {(['crash', 'join'] as const).map((verb) => (
          <button
            type="button"
            key={verb}
            disabled={endpoints.length === 0}
            onClick={() => void give(`${verb} ${endpoints.join(' ')}`)}
          >
            {verb === 'crash' ? 'Crash them' : 'Join them'}
          </button>
        ))}
      </div>
    </>
  );
}

function CablePanel({ live, cableKey, give, select }: InspectorProps & { cableKey: string }) {
  const cable = live.network.cables.find(({ key }) => key === cableKey);
  if (!cable) return <p class="empty">There is no such link.</p>;
  const both = [cable.forth, cable.back].flatMap((link) => (link ? [link] : []));
  const flows = new Set(both.flatMap(({ name }) => live.loads.get(name)?.flows ?? []));
  return (
    <>
      <table class="two">
        <thead>
          <tr>
            <th scope="col">Direction</th>
            {both.map(({ name, from, to }) => (
              <th scope="col" key={name} class="number">
                {from} → {to}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {FACTS.map(([title, text]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              {both.map((link) => (
                <td key={link.name} class="number">
                  {text(link, live)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <LinkForm cable={cable} give={give} />
      {flows.size > 0 && (
        <ul class="plain" aria-label="Flows on this link">
          {[...flows].slice(0, 20).map((pair) => (
            <li key={pair}>
              <button type="button" class="pick" onClick={() => select(pathOf(pair))}>
                {pair.replace('>', ' → ')}
              </button>
              <span class="note">{rate(live.state.flows.get(pair)?.rateBps ?? 0)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const FACTS: readonly (readonly [string, (link: Direction, live: Live) => string])[] = [
  ['Latency', ({ latencyMs }) => latency(latencyMs)],
  ['Jitter', ({ jitterMs, distribution }) => `${latency(jitterMs)}${distribution ? ` ${distribution}` : ''}`],
  ['Loss', ({ loss }) => percent(loss)],
  ['Bandwidth', ({ bandwidthBps }) => rate(bandwidthBps)],
  [
    'Carries now',
    ({ name, isPresent }, { loads }) => (isPresent ? rate(loads.get(name)?.rateBps ?? 0) : 'down'),
  ],
  ['As asked', ({ name }, { loads }) => loads.get(name)?.agreement ?? 'not measured'],
];
