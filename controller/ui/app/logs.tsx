/** The log of an endpoint, followed. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { endpointPath, get } from '../data/api.ts';

const POLL_MS = 1000;
const TAIL = 500;
/** Characters that are kept; older ones are in the file. */
const MOST = 200_000;

export function Logs({ experiment, endpoint }: { experiment: string; endpoint: string }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    let isOver = false;
    let from: number | undefined;
    let timer: number | undefined;
    const read = async (): Promise<void> => {
      try {
        const query = from === undefined ? `tail=${TAIL}` : `from=${from}`;
        const page = await get('getLogs', endpointPath(experiment, endpoint, `/logs?${query}`));
        if (isOver) return;
        // An engine's log has only a tail.
        if (page.next === null) setText(page.text);
        else if (page.text !== '') setText((before) => (before + page.text).slice(-MOST));
        from = page.next ?? undefined;
        setProblem('');
      } catch (error) {
        if (!isOver) setProblem((error as Error).message);
      }
      if (!isOver) timer = window.setTimeout(read, POLL_MS);
    };
    setText('');
    void read();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [experiment, endpoint]);
  // A new text is what it scrolls for.
  useLayoutEffect(() => {
    if (box.current && follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <div class="log">
      {problem !== '' && <p class="note bad">{problem}</p>}
      <pre
        role="log"
        ref={box}
        tabIndex={0}
        aria-label={`Log of ${endpoint}`}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          follows.current = scrollTop + clientHeight > scrollHeight - 20;
        }}
      >
        {text === '' ? 'It has written nothing yet.' : text}
      </pre>
    </div>
  );
}
