/** The picture of the network: as a graph, or, above what can be drawn, as a matrix. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { percent, rate } from '../data/format.ts';
import type { Live } from '../data/live.ts';
import { conditionsOf } from '../data/network.ts';
import { NOTHING, pathEnds, type Selection, selectedNodes, withNode } from '../data/selection.ts';
import type { Mode } from '../graph/draw.ts';
import { GraphView } from '../graph/graph-view.ts';
import { arrangementOf } from '../graph/map.ts';
import { MOST_DRAWN, Places } from '../graph/places.ts';
import { Matrix } from './matrix.tsx';

interface StageProps {
  readonly live: Live;
  readonly selection: Selection;
  readonly select: (selection: Selection) => void;
  readonly theme: string;
}

export function Stage({ live, selection, select, theme }: StageProps) {
  const [chosen, setChosen] = useState<'graph' | 'matrix'>();
  const [mode, setMode] = useState<Mode>('use');
  const [focus, setFocus] = useState<string>();
  const view = useRef<GraphView | undefined>(undefined);
  const isLarge = live.network.nodes.size > MOST_DRAWN;
  const picture = chosen ?? (isLarge ? 'matrix' : 'graph');
  return (
    <section class="stage card" aria-label="Network">
      <header>
        <h2>Network</h2>
        <div class="buttons" role="group" aria-label="Picture">
          {(['graph', 'matrix'] as const).map((one) => (
            <button
              type="button"
              key={one}
              aria-pressed={picture === one}
              disabled={one === 'graph' && isLarge}
              onClick={() => setChosen(one)}
            >
              {one === 'graph' ? 'Graph' : 'Matrix'}
            </button>
          ))}
        </div>
        {picture === 'graph' && (
          <>
            <div class="buttons" role="group" aria-label="Colours of links">
              <button type="button" aria-pressed={mode === 'use'} onClick={() => setMode('use')}>
                Use
              </button>
              <button type="button" aria-pressed={mode === 'agreement'} onClick={() => setMode('agreement')}>
                Asked / measured
              </button>
            </div>
            <div class="buttons zoom" role="group" aria-label="View">
              <button type="button" aria-label="Zoom in" onClick={() => view.current?.zoom(1.3)}>
                +
              </button>
              <button type="button" aria-label="Zoom out" onClick={() => view.current?.zoom(0.77)}>
                −
              </button>
              <button type="button" onClick={() => view.current?.fit()}>
                Fit
              </button>
              <button type="button" onClick={() => view.current?.layOutAgain('links')}>
                Lay out
              </button>
              {arrangementOf(live.network) === 'map' && (
                <button type="button" onClick={() => view.current?.layOutAgain('map')}>
                  Map
                </button>
              )}
            </div>
          </>
        )}
      </header>
      {picture === 'graph' ? (
        <Graph
          live={live}
          selection={selection}
          select={select}
          theme={theme}
          mode={mode}
          view={view}
          onFocus={setFocus}
        />
      ) : (
        <Matrix live={live} select={select} theme={theme} />
      )}
      <footer>
        {picture === 'graph' && <Legend mode={mode} hasHosts={live.state.agents.size > 1} />}
        <span class="note told" role="status">
          {focus === undefined ? '' : toldOf(live, focus)}
        </span>
      </footer>
    </section>
  );
}

interface GraphProps extends StageProps {
  readonly mode: Mode;
  readonly view: { current: GraphView | undefined };
  readonly onFocus: (name: string | undefined) => void;
}

function Graph({ live, selection, select, theme, mode, view, onFocus }: GraphProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef({ selection, select });
  latest.current = { selection, select };
  // The view lives as long as the experiment is looked at.
  useEffect(() => {
    if (!canvas.current) return;
    const made = new GraphView(canvas.current, new Places(live.name), {
      onNode: (name, adds) => latest.current.select(withNode(latest.current.selection, name, adds)),
      onCable: (key) => latest.current.select({ kind: 'cable', key }),
      onNodes: (names) => latest.current.select(names.length === 0 ? NOTHING : { kind: 'nodes', names }),
      onNothing: () => latest.current.select(NOTHING),
      onFocus,
    });
    view.current = made;
    return () => {
      made.stop();
      view.current = undefined;
    };
  }, [live]);
  // Each picture is drawn, in the colours of the theme.
  useEffect(() => {
    view.current?.show({
      network: live.network,
      loads: live.loads,
      conditions: conditionsOf(live.state),
      marks: marksOf(live),
      selected: new Set(selectedNodes(selection)),
      selectedCable: selection.kind === 'cable' ? selection.key : undefined,
      path: pathLinks(live, selection),
      mode,
    });
  });
  const { size } = live.network.nodes;
  return (
    <div
      class="graph"
      role="application"
      tabIndex={0}
      aria-label={`Graph of ${size} nodes. Arrow keys walk over them, Enter selects, plus and minus zoom, 0 shows all.`}
      data-theme-drawn={theme}
      onKeyDown={(event) => {
        if (view.current?.key(event)) event.preventDefault();
      }}
    >
      <canvas ref={canvas} aria-hidden="true" />
      {size === 0 && <p class="empty">The topology is on its way.</p>}
    </div>
  );
}

/** The number of the host of each endpoint, where there are several. */
function marksOf({ state }: Live): Map<string, string> {
  if (state.agents.size < 2) return new Map();
  return new Map(
    [...state.endpoints.values()].map(({ name, host }) => [
      name,
      /\d{1,3}$/.exec(host)?.[0] ?? host.slice(0, 2),
    ]),
  );
}

function pathLinks({ network, state }: Live, selection: Selection): Set<string> {
  const ends = pathEnds(selection, network);
  return new Set(ends ? (state.paths.get(ends.join('>'))?.links ?? []) : []);
}

/** One line about a node or a link. */
function toldOf({ network, loads, state }: Live, name: string): string {
  const endpoint = state.endpoints.get(name);
  if (endpoint)
    return `${name} on ${endpoint.host}, ${endpoint.addresses.join(' ')}, ${endpoint.process ?? 'no command'}`;
  if (network.nodes.has(name)) return `${name}, a bridge`;
  const cable = network.cables.find(({ key }) => key === name);
  if (!cable) return '';
  return [cable.forth, cable.back]
    .flatMap((link) => {
      if (!link) return [];
      const load = loads.get(link.name);
      const use = load?.use == null ? '' : ` (${percent(load.use)})`;
      return [`${link.from} → ${link.to}: ${rate(load?.rateBps ?? 0)} of ${rate(link.bandwidthBps)}${use}`];
    })
    .join('   ');
}

function Legend({ mode, hasHosts }: { mode: Mode; hasHosts: boolean }) {
  return (
    <ul class="legend" aria-label="Legend">
      {mode === 'use' ? (
        <>
          <li>
            <span class="swatch low" aria-hidden="true" /> little used
          </li>
          <li>
            <span class="swatch high" aria-hidden="true" /> full
          </li>
        </>
      ) : (
        <>
          <li>
            <span class="swatch as-asked" aria-hidden="true" /> as asked
          </li>
          <li>
            <span class="swatch differs" aria-hidden="true" /> differs
          </li>
          <li>
            <span class="swatch unused" aria-hidden="true" /> not measured
          </li>
        </>
      )}
      <li>
        <span aria-hidden="true">●</span> endpoint{hasHosts && ', number of its host'}
      </li>
      <li>
        <span aria-hidden="true">◆</span> bridge
      </li>
      <li>
        <span class="bad" aria-hidden="true">
          ✕
        </span>{' '}
        gone
      </li>
      <li>
        <span class="warn" aria-hidden="true">
          ▲
        </span>{' '}
        needs a look
      </li>
    </ul>
  );
}
