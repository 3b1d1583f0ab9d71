/** Where the dashboard begins. Style sheets are handed to the document, since the page's policy lets no text be one. */
import xtermStyles from '@xterm/xterm/css/xterm.css';
import { render } from 'preact';
import plotStyles from 'uplot/dist/uPlot.min.css';
import startStyles from '../start/start.css';
import { App } from './app.tsx';
import layoutStyles from './layout.css';
import styles from './styles.css';

for (const text of [xtermStyles, plotStyles, styles, layoutStyles, startStyles]) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets.push(sheet);
}
render(<App />, document.getElementById('app')!);
