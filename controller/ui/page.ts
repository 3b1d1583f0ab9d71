/** The dashboard: one page and its program, which is built (controller/ui). They hold nothing; what they show, they ask for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAM_FILE = join(import.meta.dirname, 'built/dashboard.js');

export const PAGE_PATH = '/';
export const PROGRAM_PATH = '/dashboard.js';

/** Only this server's own program runs, and it talks to this server only. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 13V3l6 7V3m0 7 6 3V3' fill='none' stroke='%232f8fd0' stroke-width='2.4' stroke-linejoin='round'/%3E%3C/svg%3E";

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>netfold</title>
<link rel="icon" href="${ICON}">
<script type="module" src="${PROGRAM_PATH}"></script>
</head>
<body><div id="app"></div><noscript>This page is a program: it needs JavaScript.</noscript></body>
</html>
`;

/** The program, as `npm run build:ui` has made it. */
export const readProgram = (): Buffer => readFileSync(PROGRAM_FILE);
