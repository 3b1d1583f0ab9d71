/** A text with the numbers of its lines, and what was found at them. */
import { useRef } from 'preact/hooks';
import { type Diagnostic, gutterOf, lineCount, lineRange } from '../data/draft.ts';
import { State } from '../parts/parts.tsx';

/** Pixels, as the style sheet has it. */
const LINE = 20;

interface EditorProps {
  readonly text: string;
  readonly found: readonly Diagnostic[];
  readonly onInput: (text: string) => void;
}

export function Editor({ text, found, onInput }: EditorProps) {
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
