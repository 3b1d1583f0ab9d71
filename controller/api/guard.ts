/**
 * Who may ask: holders of the token, and browsers that have opened a link. Nobody else's page can use the browser's cookie
 * (SameSite, Origin), and no foreign name leads here (Host, against DNS rebinding).
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { fromSeconds, millisToSeconds, toMillis } from '../../proto/units.ts';
import { ApiError } from './errors.ts';

/** A browser's session, and a link that nobody has opened. */
const SESSION_MS = toMillis(fromSeconds(7 * 24 * 60 * 60));
const LINK_MS = toMillis(fromSeconds(24 * 60 * 60));
/** Of more links, the oldest no longer counts. */
const MOST_LINKS = 100;

export interface GuardOptions {
  /** The server's, as they are at the time. Without a token, whoever reaches the server may ask. */
  readonly own: { readonly port: number; readonly token: string | undefined };
  /** By TLS: cookies are sent by it alone, and pages are from there. */
  readonly isSecure?: boolean;
  /** Names under which this server is reached, beside IP addresses and localhost. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** A WebSocket, which no preflight protects. */
  readonly isUpgrade: boolean;
}

export class Guard {
  readonly #options: GuardOptions;
  /** Codes of links that nobody has opened → until when they can be. */
  readonly #links = new Map<string, number>();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Of a link that can be opened once, and shows this experiment; without a token, no code is needed. */
  link(experiment?: string): string {
    if (this.#options.own.token === undefined) return experiment === undefined ? '/' : `/#${experiment}`;
    const code = randomBytes(24).toString('base64url');
    this.#links.set(code, this.#options.now() + LINK_MS);
    if (this.#links.size > MOST_LINKS) this.#links.delete(this.#links.keys().next().value!);
    return `/login?code=${code}${experiment === undefined ? '' : `&show=${experiment}`}`;
  }

  /** The cookie for a link's code. Throws `LINK_USED`. */
  redeem(code: string): string {
    const { own, now } = this.#options;
    const { token } = own;
    const until = this.#links.get(code);
    this.#links.delete(code);
    if (token === undefined || until === undefined || until < now())
      throw new ApiError(
        'LINK_USED',
        'this link was used already, or has expired',
        'get another one with `netfold serve --link` on the machine of the server',
      );
    const expires = Math.floor(now() + SESSION_MS);
    const value = `${expires}.${sessionMark(token, expires)}`;
    const seconds = Math.floor(millisToSeconds(SESSION_MS));
    return `${this.#cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${this.#options.isSecure ? '; Secure' : ''}`;
  }

  /** Host and Origin, of every request. Throws `ApiError`. */
  requireOwn({ headers }: Asked): void {
    const host = single(headers.host);
    const name = nameOf(host);
    if (name === undefined || !this.#isOwn(name))
      throw new ApiError(
        'HOST_FOREIGN',
        `this server is not called ${JSON.stringify(host ?? '').slice(0, 100)}`,
        'use its IP address, or name it with `netfold serve --allow-host NAME`',
      );
    const origin = single(headers.origin);
    // Without TLS of its own, a proxy may have it.
    const schemes = this.#options.isSecure ? ['https'] : ['http', 'https'];
    const isOwnOrigin = origin === undefined || schemes.some((scheme) => origin === `${scheme}://${host}`);
    const site = single(headers['sec-fetch-site']);
    const isNavigation = single(headers['sec-fetch-mode']) === 'navigate';
    if (isOwnOrigin && (isNavigation || (site !== 'cross-site' && site !== 'same-site'))) return;
    throw new ApiError(
      'ORIGIN_FOREIGN',
      'a page of another site sent this request',
      'use a page of this server',
    );
  }

  /** Throws `ApiError` (`TOKEN_MISSING`, `TOKEN_WRONG`, `SESSION_EXPIRED`, `ORIGIN_FOREIGN`). */
  requireRight(asked: Asked): void {
    const { token, port } = this.#options.own;
    if (token === undefined) return;
    const given = /^Bearer +(\S+)$/i.exec(single(asked.headers.authorization) ?? '')?.[1];
    if (given !== undefined) {
      if (isSame(given, token)) return;
      throw new ApiError('TOKEN_WRONG', 'this is not the token of this server', remedy(port));
    }
    const cookie = this.#cookieOf(asked);
    if (cookie === undefined)
      throw new ApiError('TOKEN_MISSING', 'this request has neither a token nor a cookie', remedy(port));
    this.#requireSession(cookie, token);
    // Browsers send it with everything but plain reading.
    const isReading = asked.method === 'GET' && !asked.isUpgrade;
    if (!isReading && single(asked.headers.origin) === undefined)
      throw new ApiError(
        'ORIGIN_FOREIGN',
        'this request has a cookie, and no Origin',
        'programs send a token instead: authorization: Bearer TOKEN',
      );
  }

  #requireSession(cookie: string, token: string): void {
    const [expires = '', mark = ''] = cookie.split('.');
    if (!isSame(mark, sessionMark(token, Number(expires))) || !(Number(expires) > this.#options.now()))
      throw new ApiError(
        'SESSION_EXPIRED',
        'the session of this browser has expired, or is of another server',
        'get a new link with `netfold serve --link` on the machine of the server',
      );
  }

  /** Ports share their host's cookies. */
  get #cookieName(): string {
    return `netfold_${this.#options.own.port}`;
  }

  #cookieOf({ headers }: Asked): string | undefined {
    const start = `${this.#cookieName}=`;
    const all = (single(headers.cookie) ?? '').split(/; */);
    return all.find((one) => one.startsWith(start))?.slice(start.length);
  }

  /** Of foreign pages, only those whose *name* leads here send requests that look like its own. */
  #isOwn(name: string): boolean {
    return isIP(name) !== 0 || name === 'localhost' || this.#options.names.includes(name);
  }
}

const remedy = (port: number): string =>
  `send authorization: Bearer TOKEN, with the text of /run/netfold/api-${port}.token on the machine of the server`;

const single = (header: string | readonly string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

/** `LOCALHOST:80` → `localhost`, `[::1]:80` → `::1`. */
function nameOf(host: string | undefined): string | undefined {
  const found = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::\d{1,5})?$/.exec(host ?? '');
  return (found?.[1] ?? found?.[2])?.toLowerCase();
}

/** Not the token itself: who sees a cookie can't make others. A server that follows on this port accepts it as well. */
function sessionMark(token: string, expires: number): string {
  return createHmac('sha256', token).update(`session until ${expires}`).digest('base64url');
}

/** In a time that says nothing of where they differ. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
