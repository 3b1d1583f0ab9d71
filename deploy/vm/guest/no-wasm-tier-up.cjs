/**
 * Before anything else in each Node of a test machine: WebAssembly, by which Node reads TypeScript, stays as it is compiled
 * first. On an emulated processor V8 (of Node 24.21) aborts now and then where it chooses what to compile better:
 * "Check failed: it->second.Size() > offset", below Runtime_WasmTriggerTierUp.
 */
require('node:v8').setFlagsFromString('--no-wasm-tier-up');
