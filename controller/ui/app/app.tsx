/** The page: which experiment, its state at a glance, and the panels. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, Refusal } from '../data/api.ts';
import type { Connection } from '../data/connection.ts';
import { clock } from '../data/format.ts';
import { Live } from '../data/live.ts';
import { NOTHING, type Selection } from '../data/selection.ts';
import { Refused, State, type Tone } from '../parts/parts.tsx';
import { EndButton } from '../start/end-button.tsx';
import { StartForm } from '../start/start-form.tsx';
import { Control, effectOf, type Give } from './control.tsx';
import { Inspector } from './inspector.tsx';
import { Endpoints, Flows, Hosts, Links } from './lists.tsx';
import { Stage } from './stage.tsx';
import { Timeline } from './timeline.tsx';
import { judgementTone, VerdictPanel } from './verdict.tsx';

/** Experiments come and go. */
const LIST_MS = 3000;
/** Between two pictures of the clock. */
const CLOCK_MS = 200;
/** A theme that was chosen, in this browser. */
const THEME_KEY = 'netfold theme';

type Theme = 'dark' | 'light';

export function App() {
  const [names, setNames] = useState<readonly string[]>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [chosen, setChosen] = useState(nameInAddress);
  const [isNew, setNew] = useState(false);
  /** How many experiments were started here: the next one may have the name of one that has ended. */
  const [started, setStarted] = useState(0);
  const [notEnded, setNotEnded] = useState<Refusal>();
  /** How often somebody has asked why the verdict is as it is. */
  const [whys, setWhys] = useState(0);
  const [theme, changeTheme] = useTheme();
  useEffect(() => {
    let timer: number | undefined;
    const read = async (): Promise<void> => {
      try {
        setNames((await get('listExperiments', '/experiments')).map(({ name }) => name));
        setRefusal(undefined);
      } catch (error) {
        if (error instanceof Refusal) setRefusal(error);
      }
      timer = window.setTimeout(read, LIST_MS);
    };
    const followAddress = (): void => {
      setChosen(nameInAddress());
      setNew(false);
    };
    window.addEventListener('hashchange', followAddress);
    void read();
    return () => {
      window.clearTimeout(timer);
      window.removeEventListener('hashchange', followAddress);
    };
  }, []);
  // One that has ended is shown until there is another one.
  const last = useRef<string | undefined>(undefined);
  const isLastShown = last.current !== undefined && (names?.length === 0 || names?.includes(last.current));
  const name = chosen ?? (isLastShown ? last.current : names?.[0]);
  last.current = name;
  const live = useLive(name, started);
  const choose = (next: string): void => {
    setNew(false);
    window.location.hash = encodeURIComponent(next);
  };
  const opened = (next: string): void => {
    setStarted((before) => before + 1);
    choose(next);
  };
  const others = [...new Set([...(name === undefined ? [] : [name]), ...(names ?? [])])];
  return (
    <>
      <header class="top">
        <span class="brand">
          <svg viewBox="0 0 16 16" width="22" height="22" aria-hidden="true">
            <path
              d="M2 13V3l6 7V3m0 7 6 3V3"
              fill="none"
              stroke="currentColor"
              stroke-width="1.8"
              stroke-linejoin="round"
            />
          </svg>
          <h1>netfold</h1>
        </span>
        {others.length > 0 && (
          <label class="field inline">
            <span>Experiment</span>
            <select value={name} onChange={(event) => choose(event.currentTarget.value)}>
              {others.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        )}
        {live && (
          <Facts
            live={live}
            onWhy={() => {
              setNew(false);
              setWhys((before) => before + 1);
            }}
          />
        )}
        {live && live.connection !== 'ended' && (
          <EndButton key={`${live.name} ${started}`} name={live.name} onRefused={setNotEnded} />
        )}
        <button type="button" aria-pressed={isNew} onClick={() => setNew(!isNew)}>
          New experiment
        </button>
        <button
          type="button"
          class="quiet theme"
          aria-label={theme === 'dark' ? 'Light colours' : 'Dark colours'}
          onClick={changeTheme}
        >
          {theme === 'dark' ? '☀' : '☾'}
        </button>
      </header>
      {refusal && <Refused refusal={refusal} />}
      {notEnded && <Refused refusal={notEnded} />}
      {isNew ? (
        <StartForm onUp={opened} onClose={() => setNew(false)} />
      ) : live ? (
        <Desk key={`${live.name} ${started}`} live={live} theme={theme} whys={whys} />
      ) : (
        !refusal && (
          <main class="welcome">
            <p>
              {names === undefined ? 'The server is being asked.' : 'No experiment runs on this machine.'}
            </p>
            {names !== undefined && (
              <p>
                Start one with <em>New experiment</em>, or at the command line:{' '}
                <code>netfold up examples/quickstart.yaml --hosts 2</code>
              </p>
            )}
          </main>
        )
      )}
    </>
  );
}

function nameInAddress(): string | undefined {
  try {
    return decodeURIComponent(window.location.hash.slice(1)) || undefined;
  } catch {
    return undefined;
  }
}

/** What changes in it makes the page be shown again. */
function useLive(name: string | undefined, started: number): Live | undefined {
  const [, setVersion] = useState(0);
  const [live, setLive] = useState<Live>();
  useEffect(() => {
    if (name === undefined) return;
    let frame: number | undefined;
    // Several changes between two pictures are one.
    const made = new Live(name, () => {
      frame ??= window.requestAnimationFrame(() => {
        frame = undefined;
        setVersion((version) => version + 1);
      });
    });
    made.start();
    setLive(made);
    return () => {
      if (frame !== undefined) window.cancelAnimationFrame(frame);
      made.stop();
    };
  }, [name, started]);
  return name === undefined ? undefined : live;
}

function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const kept = stored();
    if (kept === 'dark' || kept === 'light') return kept;
    return window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  });
  // Before the first picture: what is drawn reads its colours from the page.
  document.documentElement.dataset.theme = theme;
  return [
    theme,
    () => {
      const next = theme === 'dark' ? 'light' : 'dark';
      try {
        window.localStorage.setItem(THEME_KEY, next);
      } catch {
        // It holds until the page is closed.
      }
      document.documentElement.dataset.theme = next;
      setTheme(next);
    },
  ];
}

function stored(): string | null {
  try {
    return window.localStorage.getItem(THEME_KEY);
  } catch {
    return null;
  }
}

const CONNECTIONS: Readonly<Record<Connection, readonly [Tone, string]>> = {
  connecting: ['dim', 'connecting'],
  live: ['good', 'live'],
  lost: ['bad', 'connection lost'],
  ended: ['dim', 'ended'],
};

function Facts({ live, onWhy }: { live: Live; onWhy: () => void }) {
  const { summary } = live;
  const [tone, word] = CONNECTIONS[live.connection];
  return (
    <div class="top-facts">
      <State tone={tone}>{word}</State>
      <span>
        <span class="note">time</span> <Time live={live} />
      </span>
      <span>
        <span class="note">epoch</span> <span class="digits">{summary?.epoch ?? 0}</span>
      </span>
      <button
        type="button"
        class={`badge ${judgementTone(summary?.verdictNow)}`}
        title="The verdict, and its causes"
        data-testid="verdict"
        onClick={onWhy}
      >
        <State tone={judgementTone(summary?.verdictNow)}>{summary?.verdictNow ?? 'not judged'}</State>
      </button>
    </div>
  );
}

/** It goes on between two messages. */
function Time({ live }: { live: Live }) {
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setTick((tick) => tick + 1), CLOCK_MS);
    return () => window.clearInterval(timer);
  }, []);
  return <span class="digits">{clock(live.nowMs)}</span>;
}

const TABS = ['Flows', 'Links', 'Endpoints', 'Hosts', 'Verdict', 'Control'] as const;
type Tab = (typeof TABS)[number];
/** Of the keys that go to a neighbour. */
const STEPS: Readonly<Record<string, number | undefined>> = { ArrowLeft: -1, ArrowRight: 1 };

function Desk({ live, theme, whys }: { live: Live; theme: Theme; whys: number }) {
  const [selection, select] = useState<Selection>(NOTHING);
  const [tab, setTab] = useState<Tab>('Flows');
  const answered = useRef(whys);
  useEffect(() => {
    if (whys !== answered.current) setTab('Verdict');
    answered.current = whys;
  }, [whys]);
  const [filter, setFilter] = useState('');
  const [refusal, setRefusal] = useState<Refusal>();
  const give: Give = async (text, options) => {
    try {
      await live.give(text, options);
      setRefusal(undefined);
      return true;
    } catch (error) {
      setRefusal(
        error instanceof Refusal ? error : new Refusal({ code: 'INTERNAL', message: String(error) }),
      );
      return false;
    }
  };
  const props = { live, selection, select, filter };
  const latest = [...live.given.values()].at(-1);
  return (
    <main class="desk">
      <Stage live={live} selection={selection} select={select} theme={theme} />
      <section class="lists card" aria-label="Lists">
        <Tabs tab={tab} setTab={setTab} live={live} />
        {tab !== 'Verdict' && tab !== 'Control' && (
          <label class="field inline filter">
            <span>Filter</span>
            <input
              type="search"
              value={filter}
              autocomplete="off"
              onInput={(event) => setFilter(event.currentTarget.value)}
            />
          </label>
        )}
        <div class="body" role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
          {tab === 'Flows' && <Flows {...props} />}
          {tab === 'Links' && <Links {...props} />}
          {tab === 'Endpoints' && <Endpoints {...props} />}
          {tab === 'Hosts' && <Hosts {...props} />}
          {tab === 'Verdict' && <VerdictPanel live={live} />}
          {tab === 'Control' && <Control live={live} give={give} />}
        </div>
      </section>
      <Inspector live={live} selection={selection} select={select} give={give} theme={theme} />
      <Timeline live={live} />
      <div class="toast" role="status" data-testid="effect">
        {refusal || live.problem ? (
          <Refused refusal={(refusal ?? live.problem)!} />
        ) : (
          latest && (
            <p>
              <code>{latest.text}</code> <span class="note">{effectOf(latest)}</span>
            </p>
          )
        )}
      </div>
    </main>
  );
}

function Tabs({ tab, setTab, live }: { tab: Tab; setTab: (tab: Tab) => void; live: Live }) {
  const list = useRef<HTMLDivElement>(null);
  const { state, network } = live;
  const numbers: Readonly<Partial<Record<Tab, number>>> = {
    Flows: state.flows.size,
    Links: network.cables.length,
    Endpoints: state.endpoints.size,
    Hosts: state.agents.size,
    Verdict: live.verdict?.causes.filter(({ until }) => until === null).length ?? 0,
    Control: state.commands.size,
  };
  const move = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length]!;
    setTab(next);
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Lists" ref={list} onKeyDown={move}>
      {TABS.map((one) => (
        <button
          type="button"
          key={one}
          role="tab"
          id={`tab-${one}`}
          aria-selected={tab === one}
          aria-controls="panel"
          tabIndex={tab === one ? 0 : -1}
          onClick={() => setTab(one)}
        >
          {one}
          {(numbers[one] ?? 0) > 0 && <span class="number"> {numbers[one]}</span>}
        </button>
      ))}
    </div>
  );
}
