/** A shell in an endpoint. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { useEffect, useRef, useState } from 'preact/hooks';
import { endpointPath, openSocket } from '../data/api.ts';

/** Characters of one message, as the server takes them. */
const PIECE = 500;

export function Shell({ experiment, endpoint }: { experiment: string; endpoint: string }) {
  const place = useRef<HTMLDivElement>(null);
  const [ended, setEnded] = useState('');
  const [attempt, setAttempt] = useState(0);
  // Another attempt is a new shell.
  useEffect(() => {
    if (!place.current) return;
    const terminal = new Terminal({
      cursorBlink: true,
      fontSize: 13,
      fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
      screenReaderMode: true,
      theme: { background: '#0b0f13', foreground: '#e6edf3' },
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    const element = place.current;
    withoutStyleElements(() => terminal.open(element));
    fit.fit();
    setEnded('');
    const { cols, rows } = terminal;
    const socket = openSocket(endpointPath(experiment, endpoint, `/terminal?columns=${cols}&rows=${rows}`));
    socket.binaryType = 'arraybuffer';
    const send = (message: object): void => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== 'string') terminal.write(new Uint8Array(data));
      else setEnded((JSON.parse(data) as { reason: string }).reason);
    };
    socket.onclose = () => setEnded((reason) => (reason === '' ? 'the connection is lost' : reason));
    terminal.onData((text) => {
      for (let at = 0; at < text.length; at += PIECE)
        send({ type: 'input', text: text.slice(at, at + PIECE) });
    });
    terminal.onResize(({ cols: columns, rows: high }) => send({ type: 'size', columns, rows: high }));
    const observer = new ResizeObserver(() => fit.fit());
    observer.observe(place.current);
    terminal.focus();
    return () => {
      observer.disconnect();
      socket.close();
      terminal.dispose();
    };
  }, [experiment, endpoint, attempt]);
  return (
    <div class="shell">
      <div class="screen" ref={place} />
      {ended !== '' && (
        <p class="line">
          <span class="note">{ended}</span>
          <button type="button" onClick={() => setAttempt(attempt + 1)}>
            Open another one
          </button>
        </p>
      )}
    </div>
  );
}

/**
 * The terminal writes its colours and sizes into style elements, which the page's policy forbids. Those that it makes in `open` are no
 * elements of style, but hand their text to a style sheet of the document.
 */
function withoutStyleElements(open: () => void): void {
  const own = document.createElement;
  document.createElement = ((name: string, options?: ElementCreationOptions) =>
    name === 'style' ? styleCarrier() : own.call(document, name, options)) as typeof own;
  try {
    open();
  } finally {
    document.createElement = own;
  }
}

function styleCarrier(): HTMLElement {
  const carrier = document.createElementNS('http://www.w3.org/1999/xhtml', 'div') as HTMLElement;
  const sheet = new CSSStyleSheet();
  carrier.hidden = true;
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(carrier, 'textContent', { set: (text: string) => sheet.replaceSync(text) });
  carrier.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    HTMLElement.prototype.remove.call(carrier);
  };
  return carrier;
}
