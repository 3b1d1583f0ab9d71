/** Starting an experiment from a topology that is uploaded or pasted, and ending one. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { experimentPath, Refusal, remove } from '../data/api.ts';
import {
  type Checked,
  type Diagnostic,
  type Draft,
  EMPTY,
  fileNameOf,
  gutterOf,
  lineCount,
  lineRange,
} from '../data/draft.ts';
import { count } from '../data/format.ts';
import { check, start } from '../data/starting.ts';
import { Field, Refused, State } from './parts.tsx';

/** After the last key, the text is checked. */
const CHECK_MS = 400;
/** Pixels, as the style sheet has it. */
const LINE = 20;
const BACKENDS = ['auto', 'netem', 'delay-line'] as const;

/** `onUp`: with the experiment's name. */
export function StartForm({ onUp, onClose }: { onUp: (name: string) => void; onClose: () => void }) {
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [progress, setProgress] = useState<string>();
  const [refusal, setRefusal] = useState<Refusal>();
  const checked = useCheck(draft);
  const isStarting = progress !== undefined;
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setRefusal(undefined);
    setProgress('starting');
    try {
      onUp(await start(draft, setProgress));
    } catch (error) {
      setRefusal(refusalOf(error));
    }
    setProgress(undefined);
  };
  const upload = async (file: File | undefined): Promise<void> => {
    if (file) change({ topology: await file.text(), file: fileNameOf(file.name) });
  };
  const { found } = checked;
  return (
    <main class="start">
      <form class="card" onSubmit={submit} aria-label="New experiment">
        <header>
          <h2>New experiment</h2>
          <label class="field inline">
            <span>Topology file</span>
            <input type="file" onChange={(event) => void upload(event.currentTarget.files?.[0])} />
          </label>
          <button type="button" class="quiet" onClick={onClose}>
            Close
          </button>
        </header>
        <Editor
          text={draft.topology}
          found={found?.diagnostics ?? []}
          onInput={(topology) => change({ topology })}
        />
        <footer>
          <div class="fields">
            <Field
              label="Name"
              value={draft.name}
              placeholder={found?.summary?.name ?? "the topology's"}
              onInput={(name) => change({ name })}
            />
            <Field label="Hosts" value={draft.hosts} isShort onInput={(hosts) => change({ hosts })} />
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
                onChange={(event) =>
                  change({ delayBackend: event.currentTarget.value as Draft['delayBackend'] })
                }
              >
                {BACKENDS.map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </select>
            </label>
            <label class="field wide">
              <span>Variables, one on each line</span>
              <textarea
                rows={2}
                value={draft.settings}
                placeholder="delay=20ms"
                spellcheck={false}
                onInput={(event) => change({ settings: event.currentTarget.value })}
              />
            </label>
          </div>
          <div class="line">
            <button type="submit" class="main" disabled={isStarting || !found?.valid}>
              Start
            </button>
            <span role="status" data-testid="start">
              {progress ?? wordsOf(found)}
            </span>
          </div>
          {(refusal ?? checked.refusal) && <Refused refusal={(refusal ?? checked.refusal)!} />}
        </footer>
      </form>
    </main>
  );
}

function wordsOf(found: Checked | undefined): string {
  if (!found) return 'Choose a file, or write a topology: any format that netfold reads.';
  const errors = found.diagnostics.filter(({ severity }) => severity === 'error').length;
  if (!found.summary) return `not valid: ${count(errors, 'error')}`;
  const { name, endpoints, bridges, links, events } = found.summary;
  const parts = [count(endpoints, 'endpoint'), count(bridges, 'bridge'), count(links, 'link')];
  return `${name} is valid: ${[...parts, count(events, 'event')].join(', ')}`;
}

interface EditorProps {
  readonly text: string;
  readonly found: readonly Diagnostic[];
  readonly onInput: (text: string) => void;
}

/** A text with the numbers of its lines, and what was found at them. */
function Editor({ text, found, onInput }: EditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLPreElement>(null);
  const scroll = (): void => {
    if (gutter.current && area.current) gutter.current.scrollTop = area.current.scrollTop;
  };
  const show = (line: number): void => {
    const { current } = area;
    if (!current) return;
    current.focus();
    current.setSelectionRange(...lineRange(text, line));
    current.scrollTop = Math.max(0, (line - 1) * LINE - current.clientHeight / 2);
    scroll();
  };
  return (
    <>
      <div class="editor">
        <pre ref={gutter} aria-hidden="true">
          {gutterOf(lineCount(text), found)}
        </pre>
        <textarea
          ref={area}
          value={text}
          wrap="off"
          spellcheck={false}
          autocomplete="off"
          aria-label="Topology"
          aria-invalid={found.some(({ severity }) => severity === 'error')}
          onScroll={scroll}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </div>
      {found.length > 0 && (
        <ul class="found" aria-label="Findings">
          {found.map(({ severity, line, column, field, message, remedy }) => (
            <li key={`${line}:${column}:${field}:${message}`}>
              <button type="button" class="pick" onClick={() => show(line)}>
                Line {line}
              </button>{' '}
              <State tone={severity === 'error' ? 'bad' : 'warn'}>{severity}</State>{' '}
              {field !== '' && <code>{field}</code>} {message}
              {remedy !== '' && <span class="note"> — {remedy}</span>}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** What the server says of the text as it is, once nobody has typed for a moment. */
function useCheck(draft: Draft): { readonly found?: Checked; readonly refusal?: Refusal } {
  const [state, setState] = useState<{ readonly found?: Checked; readonly refusal?: Refusal }>({});
  const { topology, file, settings } = draft;
  useEffect(() => {
    // What was said of another text counts no more.
    setState({});
    if (topology.trim() === '') return;
    let isOver = false;
    const timer = window.setTimeout(async () => {
      const next = await check(draft).then(
        (found) => ({ found }),
        (error: unknown) => ({ refusal: refusalOf(error) }),
      );
      if (!isOver) setState(next);
    }, CHECK_MS);
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [topology, file, settings]);
  return state;
}

const refusalOf = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal({ code: 'INTERNAL', message: String(error) });

/** Asks once more before it ends the experiment. */
export function EndButton({
  name,
  onRefused,
}: {
  name: string;
  onRefused: (refusal: Refusal | undefined) => void;
}) {
  const [isAsked, setAsked] = useState(false);
  const [isEnding, setEnding] = useState(false);
  const end = async (): Promise<void> => {
    setAsked(false);
    setEnding(true);
    try {
      await remove('removeExperiment', experimentPath(name));
      onRefused(undefined);
    } catch (error) {
      onRefused(refusalOf(error));
    }
    setEnding(false);
  };
  if (!isAsked)
    return (
      <button type="button" disabled={isEnding} onClick={() => setAsked(true)}>
        {isEnding ? 'Ending …' : 'End'}
      </button>
    );
  return (
    <span class="line">
      <button type="button" class="main" onClick={() => void end()}>
        End {name} and remove it
      </button>
      <button type="button" onClick={() => setAsked(false)}>
        Keep it
      </button>
    </span>
  );
}
