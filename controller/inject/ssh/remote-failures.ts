/** What scripts on hosts report with `fail CODE WORDS`, as errors with remedies. Pure. */
import { InjectError, type InjectErrorCode } from './errors.ts';
import type { SshHost } from './refusals.ts';

type Said = Partial<Readonly<Record<InjectErrorCode, { readonly what: string; readonly remedy: string }>>>;

/** The script's own words follow `what`. */
const FAILURES: Said = {
  HOST_SPACE: {
    what: 'there is no room for netfold:',
    remedy: 'see which file system is full: df -h /opt; netfold takes some 300 MB in /opt/netfold',
  },
  HOST_READ_ONLY: {
    what: 'netfold can’t be written there:',
    remedy: 'make the file system writable: findmnt -T /opt, then mount -o remount,rw',
  },
  HOST_CANNOT: { what: 'netfold does not run there:', remedy: 'netfold inject … check says what is missing' },
  HOST_LIBRARY: {
    what: 'there is no',
    remedy: 'install it there, e.g. apt-get install -y libbpf1 iproute2 tar gzip',
  },
  NOT_INSTALLED: {
    what: 'netfold is not installed there',
    remedy: 'netfold inject FILE --inventory HOSTS install',
  },
  INJECTION_RUNS: {
    what: 'there is an injection already:',
    remedy: 'end it first: netfold inject FILE --inventory HOSTS stop (--name NAME if it has another name)',
  },
  INJECTION_UNKNOWN: {
    what: 'no such injection runs there:',
    remedy: 'netfold inject FILE --inventory HOSTS start; --name if it was started with another name',
  },
  START_FAILED: {
    what: 'its agent has not started:',
    remedy: 'the message is that of the host; netfold inject FILE --inventory HOSTS check looks for more',
  },
};

export function failureOf({ name }: SshHost, code: string, words: string): InjectError {
  const known = FAILURES[code as InjectErrorCode];
  if (!known) return new InjectError('HOST_CANNOT', `${name}: ${code} ${words}`.trim(), 'see the message');
  return new InjectError(code as InjectErrorCode, `${name}: ${known.what} ${words}`.trim(), known.remedy);
}
