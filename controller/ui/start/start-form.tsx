/** Starting an experiment from a topology that is uploaded or pasted: here, in containers, or on hosts over SSH. */
import { useEffect, useState } from 'preact/hooks';
import { type Checked, type Draft, EMPTY, EXAMPLE, fileNameOf } from '../data/draft.ts';
import { count } from '../data/format.ts';
import { type Refusal, refusalOf } from '../data/refusal.ts';
import { check, type InjectedHost, start } from '../data/starting.ts';
import { Field, Refused } from '../parts/parts.tsx';
import { Editor } from './editor.tsx';
import { HostList, Hosts } from './hosts.tsx';
import { PlaceFields, PlaceSelect } from './places.tsx';

/** After the last key, the text is checked. */
const CHECK_MS = 400;

/** What the last start has come to. */
interface Outcome {
  readonly refusal?: Refusal | undefined;
  readonly hosts?: readonly InjectedHost[];
  /** What runs on hosts over SSH. */
  readonly injected?: string;
}

/** `onUp`: with the experiment's name. */
export function StartForm({ onUp, onClose }: { onUp: (name: string) => void; onClose: () => void }) {
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [progress, setProgress] = useState<string>();
  const [outcome, setOutcome] = useState<Outcome>({});
  const checked = useCheck(draft);
  const isStarting = progress !== undefined;
  const change = (part: Partial<Draft>): void => {
    setDraft((before) => ({ ...before, ...part }));
    // What was refused in one place says nothing of another.
    if (part.place !== undefined) setOutcome({});
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setOutcome({});
    setProgress('starting');
    try {
      const { name, refusal, hosts } = await start(draft, setProgress);
      if (!refusal && draft.place !== 'hosts') return onUp(name);
      setOutcome({ refusal, hosts, ...(!refusal && { injected: name }) });
    } catch (error) {
      setOutcome({ refusal: refusalOf(error) });
    }
    setProgress(undefined);
  };
  const upload = async (file: File | undefined): Promise<void> => {
    if (file) change({ topology: await file.text(), file: fileNameOf(file.name) });
  };
  const { found } = checked;
  const refusal = outcome.refusal ?? checked.refusal;
  return (
    <main class="start">
      <form class="card" onSubmit={submit} aria-label="New experiment">
        <header>
          <h2>New experiment</h2>
          <label class="field inline">
            <span>Topology file</span>
            <input type="file" onChange={(event) => void upload(event.currentTarget.files?.[0])} />
          </label>
          {draft.topology.trim() === '' && (
            <button type="button" onClick={() => change({ topology: EXAMPLE, file: 'example.yaml' })}>
              Example
            </button>
          )}
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
            <PlaceSelect place={draft.place} change={change} />
            <Field
              label="Name"
              value={draft.name}
              placeholder={found?.summary?.name ?? "the topology's"}
              onInput={(name) => change({ name })}
            />
            <PlaceFields draft={draft} change={change} />
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
          {draft.place === 'hosts' && <Hosts draft={draft} change={change} isStarting={isStarting} />}
          <div class="line">
            <button type="submit" class="main" disabled={isStarting || !found?.valid}>
              Start
            </button>
            <span role="status" data-testid="start">
              {progress ?? (outcome.injected === undefined ? wordsOf(found) : ranWords(outcome))}
            </span>
          </div>
          {refusal && <Refused refusal={refusal} />}
          {outcome.hosts && outcome.hosts.length > 0 && <HostList hosts={outcome.hosts} />}
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

const ranWords = ({ injected, hosts = [] }: Outcome): string =>
  `${injected} runs on ${count(hosts.length, 'host')}; Status asks them, Stop ends it there`;

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
