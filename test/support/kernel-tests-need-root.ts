/** Refuses the kernel tests without root, before the first of them fails with a less clear message. */
export default function refuseWithoutRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new Error(
    'the kernel tests make network namespaces and need root: sudo npm test, or leave them out: vitest run --project unit',
  );
}
