/**
 * The desired state of one interface, and which parts of it have changed since it was last installed. It is edited in
 * parts; then `Enforcer.reconcile` plans the dirty parts, or everything. Pure.
 */
import { MAX_GSO_SEGMENTS } from './derive.ts';
import type { InterfaceChange, InterfaceState, MutableState, ShapedClass } from './interface-state.ts';

export class DesiredState {
  #state: MutableState = {
    foreignRoot: undefined,
    classifier: true,
    gsoSegments: MAX_GSO_SEGMENTS,
    classes: new Map(),
    targets: new Map(),
  };
  #isSet = false;
  #isAllDirty = true;
  #isGsoDirty = false;
  /** If not all classes are dirty. A class that is in here and not in the state has to be removed. */
  readonly #dirtyClasses = new Set<number>();
  readonly #dirtyTargets = new Set<string>();

  /** False: it has no effect before the first `replace` or `markAll`; until then, what is installed stays. */
  get isSet(): boolean {
    return this.#isSet;
  }

  get state(): InterfaceState {
    return this.#state;
  }

  /** Replaces the whole state. */
  replace(state: InterfaceState): void {
    this.#state = { ...state, classes: new Map(state.classes), targets: new Map(state.targets) };
    this.markAll();
  }

  setGsoSegments(segments: number): void {
    this.#state.gsoSegments = segments;
    this.#isGsoDirty = true;
  }

  setClass(shaped: ShapedClass): void {
    this.#state.classes.set(shaped.minor, shaped);
    this.#dirtyClasses.add(shaped.minor);
  }

  deleteClass(minor: number): void {
    this.#state.classes.delete(minor);
    this.#dirtyClasses.add(minor);
  }

  /** `minor`: of a class, `UNSHAPED` or `NO_PATH`. */
  setTarget(destination: string, minor: number): void {
    this.#state.targets.set(destination, minor);
    this.#dirtyTargets.add(destination);
  }

  deleteTarget(destination: string): void {
    this.#state.targets.delete(destination);
    this.#dirtyTargets.add(destination);
  }

  /** Makes the next plan compare everything with what is installed. */
  markAll(): void {
    this.#isSet = true;
    this.#isAllDirty = true;
  }

  /** Everything is installed. */
  markNothing(): void {
    this.#isAllDirty = false;
    this.#isGsoDirty = false;
    this.#dirtyClasses.clear();
    this.#dirtyTargets.clear();
  }

  get isDirty(): boolean {
    return this.#isAllDirty || this.#isGsoDirty || this.#dirtyClasses.size + this.#dirtyTargets.size > 0;
  }

  /** What is dirty, in the order in which it became so; `undefined`: everything. */
  get change(): InterfaceChange | undefined {
    if (this.#isAllDirty) return undefined;
    const { gsoSegments, classes: wanted, targets: led } = this.#state;
    const classes: ShapedClass[] = [];
    const goneClasses: number[] = [];
    const targets = new Map<string, number>();
    const goneTargets: string[] = [];
    for (const minor of this.#dirtyClasses) {
      const shaped = wanted.get(minor);
      if (shaped) classes.push(shaped);
      else goneClasses.push(minor);
    }
    for (const destination of this.#dirtyTargets) {
      const minor = led.get(destination);
      if (minor === undefined) goneTargets.push(destination);
      else targets.set(destination, minor);
    }
    return { gsoSegments, classes, goneClasses, targets, goneTargets };
  }
}
