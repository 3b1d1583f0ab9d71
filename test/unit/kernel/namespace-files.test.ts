import { readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  namespaceName,
  namespacePath,
  OWN_NAMESPACE,
  OWN_NAMESPACE_FILE,
} from '../../../agent/kernel/netns/namespace-files.ts';
import { pinnedPath, unpinnedPath } from '../../../agent/kernel/netns/namespaces.ts';

test.each([
  ['netfold.lab.client.0', '/run/netns/netfold.lab.client.0'],
  [OWN_NAMESPACE, OWN_NAMESPACE_FILE],
])('the namespace "%s" has the file %s', (name, path) => {
  expect(namespacePath(name)).toBe(path);
  expect(namespaceName(path)).toBe(name);
});

test('the path that is pinned leads to the same namespace, and is opened once; others have a path already', () => {
  const pinned = pinnedPath(OWN_NAMESPACE_FILE);
  expect(readlinkSync(pinned)).toBe(readlinkSync(OWN_NAMESPACE_FILE));
  expect(pinnedPath(OWN_NAMESPACE_FILE)).toBe(pinned);
  expect(pinnedPath('/run/netns/x')).toBe('/run/netns/x');
});

test('status for other processes has no descriptor of this process in it', () => {
  expect(unpinnedPath(pinnedPath(OWN_NAMESPACE_FILE))).toBe(OWN_NAMESPACE_FILE);
  expect(unpinnedPath('/run/netns/x')).toBe('/run/netns/x');
});
